import Foundation
import Primitives

extension Transformer {
  /// Initializes the parameters randomly: norms to 1, biases to 0, embeddings from N(0, 0.02²), matrices from N(0, 1/fan-in); the two
  /// matrices per layer that write to the residual stream are divided by √(2·layers), as in GPT-2. Every value is a pure function of
  /// (random seed, tensor, index).
  /// - Parameters:
  ///   - baseWidth: see `TrainingConfiguration.baseWidth`.
  ///   - baseHeadWidth: see `TrainingConfiguration.baseHeadWidth`.
  package func initialize(randomSeed: UInt64, baseWidth: Int? = nil, baseHeadWidth: Int? = nil) {
    let c = configuration, scaling = WidthScaling(c, baseWidth: baseWidth, baseHeadWidth: baseHeadWidth)
    for (index, tensor) in layout.tensors.enumerated() {
      let target = parameters.base + tensor.range.lowerBound
      guard tensor.shape.count == 2 else {
        target.update(repeating: tensor.isBias ? 0 : Float(scaling.multiplier(tensor)), count: tensor.range.count)
        continue
      }
      var deviation = (tensor.decays ? 1 / Double(tensor.shape[1]).squareRoot() : 0.02) * scaling.multiplier(tensor)
      if tensor.name.hasSuffix("o_proj.weight") || tensor.name.hasSuffix("down_proj.weight") {
        deviation /= Double(2 * c.layers).squareRoot()
      }
      let random = CounterRandom(seed: randomSeed, stream: UInt64(index))
      pool.ranges(tensor.range.count, grain: 16_384) { range in
        for i in range {
          let u = 1 - random.uniform(UInt64(2 * i)), angle = 2 * Double.pi * random.uniform(UInt64(2 * i + 1))
          target[i] = Float(deviation * (-2 * log(u)).squareRoot() * cos(angle))
        }
      }
    }
  }
}
