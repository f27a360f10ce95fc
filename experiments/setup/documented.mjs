// @ts-check
/**
 * For TypeDoc: everything exported, and every member of it, must have a description. TypeDoc's own check of this also asks
 * for it inside the types of options, whose descriptions are values of their schemas.
 */
import { Application, ReflectionKind } from "typedoc";

const described =
  ReflectionKind.Class |
  ReflectionKind.Interface |
  ReflectionKind.TypeAlias |
  ReflectionKind.FunctionOrMethod |
  ReflectionKind.Variable |
  ReflectionKind.Property |
  ReflectionKind.Accessor;

/** @param {Application} app */
export function load(app) {
  app.on(Application.EVENT_VALIDATE_PROJECT, (project) => {
    for (const reflection of project.getReflectionsByKind(described)) {
      if (isInsideType(reflection) || hasDescription(reflection)) continue;
      app.logger.validationWarning(`${reflection.getFriendlyFullName()}: expected a description, found none`);
    }
  });
}

/** Whether it is a member of a type that has no name. */
function isInsideType(/** @type {import("typedoc").Reflection} */ reflection) {
  for (let outer = reflection.parent; outer; outer = outer.parent) {
    if (outer.kindOf(ReflectionKind.TypeLiteral | ReflectionKind.SomeSignature)) return true;
  }
  return reflection.kindOf(ReflectionKind.TypeLiteral);
}

function hasDescription(/** @type {import("typedoc").Reflection} */ reflection) {
  const signatures = reflection.isDeclaration() ? reflection.getNonIndexSignatures() : [];
  // What comes from a library's type is described there.
  const external = reflection.flags.isExternal || (reflection.isDeclaration() && reflection.inheritedFrom);
  return external || reflection.hasComment() || signatures.some((signature) => signature.hasComment());
}
