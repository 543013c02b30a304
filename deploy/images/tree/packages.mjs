// Which installed packages some packages need, by package-lock.json.

/**
 * The entries of a lock that `names` need, themselves included: dependencies and peers, as npm would install them
 * with --omit=dev --omit=optional.
 * @param {Record<string, object>} entries `packages` of a package-lock.json, by place: node_modules/a/node_modules/b
 * @param {string[]} names packages that the root may import
 * @returns {string[]} places, ascending
 */
export function neededPlaces(entries, names) {
  const direct = { ...entries['']?.dependencies };
  for (const name of names) {
    if (!(name in direct)) throw new Error(`${name} is imported, but is no dependency in package.json`);
  }
  const places = new Set(names.map((name) => placeOf(entries, '', name)));
  for (const place of places) {
    const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = entries[place];
    const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
    for (const name of [...Object.keys(dependencies), ...peers]) places.add(placeOf(entries, place, name));
  }
  return [...places].sort();
}

/** Where Node finds `name` from `place`: there, or in the nearest directory above. */
function placeOf(entries, place, name) {
  for (let from = place; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    const candidate = `${from}${from && '/'}node_modules/${name}`;
    if (candidate in entries) return candidate;
    if (!from) throw new Error(`package-lock.json has no ${name} for ${place || 'package.json'}; run npm install`);
  }
}
