import tseslint from "typescript-eslint";

/** Sizes of house style: a function that outgrows them is missing a concept. */
const sizes = {
  "max-params": ["error", 4],
  "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
  "max-depth": ["error", 3],
};

export default tseslint.config(
  { ignores: ["node_modules/", "native/build/", "dist/", "docs/api/", "results/", "data/"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...sizes,
      eqeqeq: "error",
      "prefer-const": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      // Arrays are indexed in every loop: `!` there says "in range", and a check for undefined is no mistake.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unnecessary-type-assertion": "off",
      "@typescript-eslint/no-unnecessary-condition": "off",
      // A generic result lets the caller's context type flow in.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      // Numbers in messages are the rule, not the exception.
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: { "max-lines-per-function": "off", "max-depth": "off" },
  },
  {
    files: ["**/*.mjs"],
    extends: [tseslint.configs.strict],
    rules: sizes,
  },
);
