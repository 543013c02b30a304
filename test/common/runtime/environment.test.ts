import { expect, it } from 'vitest';
import { fromEnvironment, variableName, variablesOf } from '../../../common/runtime/environment.ts';
import { flag } from '../../../common/runtime/option-values.ts';

const spec = flag({ describe: 'd', legacyEnv: 'IS_FIRST' });

it.each([
  ['FACILITATOR', 'is-first', 'FACILITATOR_IS_FIRST'],
  ['WORKFLOW_MANAGER', 'k8s-namespace', 'WORKFLOW_MANAGER_K8S_NAMESPACE'],
  ['FACILITATOR', 'date', 'FACILITATOR_DATE'],
])('variableName: %s, %s', (prefix, option, want) => {
  expect(variableName(prefix, option)).toBe(want);
});

it('an option is set by its prefixed variable, then by the unprefixed one, if it has one', () => {
  expect(variablesOf('FACILITATOR', 'is-first', spec)).toEqual(['FACILITATOR_IS_FIRST', 'IS_FIRST']);
  expect(variablesOf('FACILITATOR', 'is-first', flag({ describe: 'd' }))).toEqual(['FACILITATOR_IS_FIRST']);
});

it.each([
  { env: {}, want: undefined },
  { env: { FACILITATOR_IS_FIRST: 'a', IS_FIRST: 'b' }, want: { variable: 'FACILITATOR_IS_FIRST', text: 'a' } },
  { env: { FACILITATOR_IS_FIRST: '', IS_FIRST: 'b' }, want: { variable: 'IS_FIRST', text: 'b' } },
  { env: { FACILITATOR_IS_FIRST: undefined, IS_FIRST: '' }, want: undefined },
  { env: { facilitator_is_first: 'a', FACILITATOR_IS_FIRST_: 'a' }, want: undefined },
])('fromEnvironment: $env', ({ env, want }) => {
  expect(fromEnvironment('FACILITATOR', 'is-first', spec, env)).toEqual(want);
});
