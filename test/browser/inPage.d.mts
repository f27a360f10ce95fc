export function cutTexts(): string[];
export function faintTexts(): string[];
export function sidewaysScroll(): number;
export function unfold(): void;
export interface Marked {
  readonly about: readonly (readonly string[])[];
  readonly text: string;
  readonly seen: boolean;
}
export function marked(): Marked[];
export function withoutWords(): string[];
export function focused(): { readonly name: string; readonly shown: boolean };
export function background(): number;
export function isInView(id: string): boolean;
export function hasNewPicture(address: string): boolean;
