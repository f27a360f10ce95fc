export declare function lock(file: string, onWait: () => void): Promise<() => void>;
