import type { ReportData } from "../data.ts";
import type { Summary } from "../summarize.ts";
import { mainConfigs } from "./mainConfigs.ts";
import { homeSettings } from "./setting.ts";

/** What is known of single classes in a setting. */
interface ByClass {
  /** The main config of each method whose accuracies of single classes are known; one at least. */
  readonly shown: readonly Summary[];
  /** Of the classes, in label order. */
  readonly names: readonly string[];
  /** That some methods have several configs, of which one is shown; empty where none has. */
  readonly note: string;
}

/** Accuracies of single classes, setting by setting. */
export function byClass({ summaries, classNames }: ReportData): ByClass[] {
  return homeSettings(summaries).flatMap((rivals) => {
    const { mains, note } = mainConfigs(rivals);
    const shown = mains.filter(({ classAccuracies }) => classAccuracies.length > 0);
    if (shown.length === 0) return [];
    const { dataset, classAccuracies } = shown[0]!;
    const names = classAccuracies.map((_, label) => classNames[dataset]?.[label] ?? `class ${label}`);
    return [{ shown, names, note }];
  });
}
