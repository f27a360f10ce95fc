import { classBar } from "./bars.ts";
import { type Html, html } from "../html.ts";
import { labelAmong, methodOf, settingOf } from "../labels.ts";
import { settings, type Summary } from "../summarize.ts";
import type { PageData } from "./pageData.ts";
import { about, folded, idOf, methodLabel, section, type SeriesOf } from "./parts.ts";

/** Beyond this many classes their bars are folded away. */
const CLASSES_SHOWN = 20;

/** Accuracy of every method on every class, for each setting. */
export function classSection({ summaries, classNames }: PageData, seriesOf: SeriesOf): Html {
  const all = settings(summaries).filter((rivals) => rivals[0]!.classAccuracies.length > 0);
  if (all.length === 0) return html``;
  const bars = all.map((rivals, i) => {
    const { title, detail } = settingOf(rivals[0]!);
    const open = i === 0 && rivals[0]!.classAccuracies.length <= CLASSES_SHOWN;
    return html`<div ${about({ dataset: rivals[0]!.dataset })}>
      ${folded(html`<h3>${title}</h3>`, classBars(rivals, classNames[rivals[0]!.dataset], seriesOf), {
        open,
        id: idOf("classes", title, detail),
      })}
    </div>`;
  });
  return section(
    "classes",
    "Classes",
    "Accuracy on each class, %, in the order of the tables.",
    html`${bars}`,
  );
}

function classBars(
  rivals: readonly Summary[],
  names: readonly string[] | undefined,
  seriesOf: SeriesOf,
): Html {
  const legend = rivals.map((one) => {
    const method = methodOf(one);
    return html`<span ${about({ method })}>${methodLabel(method, seriesOf, labelAmong(rivals, one))}</span>`;
  });
  const bars = rivals[0]!.classAccuracies.map(
    (_, label) =>
      html`<div class="class">
        <span>${names?.[label] ?? `class ${label}`}</span>
        <div>
          ${rivals.map(
            (one) =>
              html`<div ${about({ method: methodOf(one) })}>
                ${classBar(one.classAccuracies[label]?.mean ?? NaN, seriesOf(methodOf(one)).className)}
              </div>`,
          )}
        </div>
      </div>`,
  );
  return html`<div class="legend">${legend}</div>
    <div class="classes">${bars}</div>`;
}
