// @ts-check
import vm from "node:vm";
import { TestEnvironment } from "jest-environment-node";

/**
 * Jest's environment for Node, with a global object that is an ordinary one. Its own is a proxy that V8 asks at every
 * mention of a global: `Math.round` in a loop then takes five times as long as outside of tests.
 */
export default class PlainEnvironment extends TestEnvironment {
  /**
   * @param {ConstructorParameters<typeof TestEnvironment>[0]} config
   * @param {ConstructorParameters<typeof TestEnvironment>[1]} context
   */
  constructor(config, context) {
    const { createContext } = vm;
    // The constructor makes its context by this function, and takes no other.
    vm.createContext = () => createContext(/** @type {any} */ (vm.constants).DONT_CONTEXTIFY);
    try {
      super(config, context);
    } finally {
      vm.createContext = createContext;
    }
  }
}
