export interface Torch {
  readonly source: string;
  readonly version: string;
  readonly includes: readonly string[];
  readonly libraries: readonly string[];
}

export declare const addonFile: string;
export declare function findTorch():
  { torch: Torch; reason?: undefined } | { torch?: undefined; reason: string };
export declare function isBuilt(): boolean;
export declare function build(): Promise<void>;
export declare function buildNow(): void;
