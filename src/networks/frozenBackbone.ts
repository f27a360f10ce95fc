import { check } from "../core/errors.ts";
import type { Network, Parameters } from "./network.ts";

/** Weight and bias of the linear layer that every network ends with. */
const classifierTensors = 2;

/** How many of a network's parameters come before its linear classifier, which has the last two. */
export function backboneSize({ parameters }: Network): number {
  return parameters.length - classifierTensors;
}

/**
 * The network whose parameters are those of the linear classifier alone, on the embedding of a backbone that stays as it is.
 * It stays differentiable in the images.
 *
 * @param backbone the first `backboneSize(network)` parameters of the network; they must live as long as it is used.
 * @throws InputError for another number of tensors.
 */
export function frozenBackbone(network: Network, backbone: Parameters): Network {
  const size = backboneSize(network);
  check(
    backbone.length === size,
    () => `frozenBackbone: expected the ${size} tensors before the classifier, got ${backbone.length}`,
  );
  const whole = (classifier: Parameters): Parameters => [...backbone, ...classifier];
  return {
    ...network,
    name: `${network.name}-frozenBackbone`,
    parameters: network.parameters.slice(size),
    featureMap: (classifier, images, mode) => network.featureMap(whole(classifier), images, mode),
    embed: (classifier, images, mode) => network.embed(whole(classifier), images, mode),
    classify: (classifier, embeddings, mode) => network.classify(whole(classifier), embeddings, mode),
    logits: (classifier, images, mode) => network.logits(whole(classifier), images, mode),
  };
}
