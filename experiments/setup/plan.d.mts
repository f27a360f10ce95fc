/** What set-up finds on a machine. */
export interface Facts {
  /** node_modules holds what package-lock.json asks for. */
  readonly packagesCurrent: boolean;
  /** The torch addon is compiled from these sources, for this machine. */
  readonly addonBuilt: boolean;
  /** Why an earlier set-up got no addon, where nothing has changed since. */
  readonly unchangedSince: string | undefined;
  /** The user asks to try again all the same. */
  readonly again: boolean;
  /** There is a C++ compiler. */
  readonly compiler: boolean;
  /** There is a libtorch with headers. */
  readonly torch: boolean;
  /** That libtorch is Debian's, and multiplies matrices by the reference BLAS. */
  readonly referenceBlas: boolean;
  readonly root: boolean;
  /** The system is Debian or Ubuntu with apt-get. */
  readonly apt: boolean;
  /** DISTILLERY_NO_APT is not set. */
  readonly aptAllowed: boolean;
}

export type Step =
  | { readonly do: "packages" }
  | { readonly do: "apt"; readonly install: readonly string[] }
  | { readonly do: "build" };

export interface Plan {
  /** In order; only "packages" must succeed. */
  readonly steps: readonly Step[];
  /** Why there will be no torch engine and what would help, where there will be none. */
  readonly note: string | undefined;
}

/** The part of an npm lock file that is looked at. */
export interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly version?: string;
        readonly integrity?: string;
        readonly optional?: boolean;
        readonly devOptional?: boolean;
      }
    >
  >;
}

export declare function planOf(facts: Facts): Plan;
export declare function packagesCurrent(lock: Lock, installed: Lock | undefined): boolean;
