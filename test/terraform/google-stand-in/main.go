// A stand-in for HashiCorp's provider of Google, where that cannot be had: it has the types, arguments, blocks and
// attributes of a list, and does nothing. So terraform itself holds a configuration against the list, and terraform test
// with mocks works. The list is a file that the variable GOOGLE_PROVIDER_LIST names:
// test/vectors/terraform-google-provider.json.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/plugin"
)

// By name, the kind of a value: string, number, bool, list, map.
type kinds map[string]string

// What a type of resource, or a block, has.
type content struct {
	Arguments struct {
		Required kinds
		Optional kinds
	}
	Blocks map[string]struct {
		Required bool
		content
	}
	// Computed, and so no arguments.
	Attributes kinds
}

type list struct {
	Resources map[string]content
	Data      map[string]content
}

var ofKind = map[string]schema.Schema{
	"string": {Type: schema.TypeString},
	"number": {Type: schema.TypeFloat},
	"bool":   {Type: schema.TypeBool},
	"list":   {Type: schema.TypeList, Elem: &schema.Schema{Type: schema.TypeString}},
	"map":    {Type: schema.TypeMap, Elem: &schema.Schema{Type: schema.TypeString}},
}

func fieldsOf(c content) map[string]*schema.Schema {
	fields := map[string]*schema.Schema{}
	add := func(names kinds, mark func(*schema.Schema)) {
		for name, kind := range names {
			field, known := ofKind[kind]
			if !known {
				panic(fmt.Sprintf("%s is of an unknown kind, %q", name, kind))
			}
			mark(&field)
			fields[name] = &field
		}
	}
	add(c.Attributes, func(field *schema.Schema) { field.Computed = true })
	add(c.Arguments.Required, func(field *schema.Schema) { field.Required = true })
	add(c.Arguments.Optional, func(field *schema.Schema) { field.Optional = true })
	for name, block := range c.Blocks {
		fields[name] = &schema.Schema{
			Type:     schema.TypeList,
			Required: block.Required,
			Optional: !block.Required,
			Elem:     &schema.Resource{Schema: fieldsOf(block.content)},
		}
	}
	// The library adds it.
	delete(fields, "id")
	return fields
}

func nothing(context.Context, *schema.ResourceData, any) diag.Diagnostics { return nil }

func provider(known list) *schema.Provider {
	result := &schema.Provider{
		Schema: map[string]*schema.Schema{
			"project": {Type: schema.TypeString, Optional: true},
			"region":  {Type: schema.TypeString, Optional: true},
		},
		ResourcesMap:   map[string]*schema.Resource{},
		DataSourcesMap: map[string]*schema.Resource{},
	}
	for name, c := range known.Resources {
		result.ResourcesMap[name] = &schema.Resource{
			Schema:        fieldsOf(c),
			CreateContext: nothing,
			ReadContext:   nothing,
			UpdateContext: nothing,
			DeleteContext: nothing,
		}
	}
	for name, c := range known.Data {
		result.DataSourcesMap[name] = &schema.Resource{Schema: fieldsOf(c), ReadContext: nothing}
	}
	return result
}

func main() {
	bytes, err := os.ReadFile(os.Getenv("GOOGLE_PROVIDER_LIST"))
	if err != nil {
		panic(err)
	}
	var known list
	if err := json.Unmarshal(bytes, &known); err != nil {
		panic(err)
	}
	plugin.Serve(&plugin.ServeOpts{ProviderFunc: func() *schema.Provider { return provider(known) }})
}
