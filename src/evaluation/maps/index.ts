export * from "./classGeometry.ts";
export * from "./points.ts";
export * from "./principalComponents.ts";
export * from "./projections.ts";
