export interface Torch {
  readonly source: string;
  readonly version: string;
  readonly includes: readonly string[];
  readonly libraries: readonly string[];
}

export interface BuildOptions {
  /** Tries what has failed before under the same circumstances. */
  readonly again?: boolean;
  /** Receives a line when compiling begins and ends, or when another process is waited for. Default: standard error. */
  readonly say?: (line: string) => void;
}

export declare function addonFile(): string;
export declare function findTorch():
  { torch: Torch; reason?: undefined } | { torch?: undefined; reason: string };
export declare function isBuilt(): boolean;
export declare function build(options?: BuildOptions): Promise<void>;
export declare function buildNow(): void;
