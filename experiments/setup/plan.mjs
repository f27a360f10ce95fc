// @ts-check
/**
 * What set-up has to do, decided from facts alone.
 *
 * @param {import("./plan.d.mts").Facts} facts
 * @returns {import("./plan.d.mts").Plan}
 */
export function planOf(facts) {
  const packages = facts.packagesCurrent ? [] : /** @type {const} */ ([{ do: "packages" }]);
  if (facts.addonBuilt) return { steps: [...packages], note: undefined };
  if (facts.unchangedSince !== undefined && !facts.again) {
    return { steps: [...packages], note: `${facts.unchangedSince}; npm run setup tries again` };
  }
  const missing = [...(facts.compiler ? [] : ["g++"]), ...(facts.torch ? [] : ["libtorch-dev"])];
  // Debian's libtorch multiplies matrices by the BLAS that is installed. With the reference one that it pulls in, a CSDM
  // step took 2.9 s; with OpenBLAS, 0.9 s.
  const install = [...missing, ...(facts.torch && !facts.referenceBlas ? [] : ["libopenblas0-openmp"])];
  if (install.length > 0 && facts.root && facts.apt && facts.aptAllowed) {
    return { steps: [...packages, { do: "apt", install }, { do: "build" }], note: undefined };
  }
  if (missing.length === 0) return { steps: [...packages, { do: "build" }], note: undefined };
  return { steps: [...packages], note: advice(missing, facts.apt) };
}

/** How to get what is missing, in one line. */
function advice(/** @type {string[]} */ missing, /** @type {boolean} */ apt) {
  const names = missing.map((name) => (name === "g++" ? "a C++ compiler" : "libtorch")).join(" and ");
  const ways = apt
    ? [`apt-get install ${missing.join(" ")} as root`]
    : [
        missing.includes("g++") ? "install g++" : [],
        missing.includes("libtorch-dev") ? "pip install torch" : [],
      ].flat();
  const also = missing.includes("libtorch-dev") ? ", or set LIBTORCH to an unpacked libtorch" : "";
  return `${names} not found: ${ways.join(" and ")}${also}`;
}

/**
 * Whether what is installed is what the lock file asks for; optional packages, for other systems, may be absent.
 *
 * @param {import("./plan.d.mts").Lock} lock package-lock.json.
 * @param {import("./plan.d.mts").Lock | undefined} installed node_modules/.package-lock.json, if there is one.
 */
export function packagesCurrent(lock, installed) {
  if (installed === undefined) return false;
  return Object.entries(lock.packages).every(([path, wanted]) => {
    const found = installed.packages[path];
    if (path === "") return true;
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}
