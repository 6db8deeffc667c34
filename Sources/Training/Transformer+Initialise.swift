import Foundation
import Primitives

extension Transformer {
  /// Draws the parameters: norms 1, embeddings N(0, 0.02²), matrices N(0, 1/fan-in) with the two that write to the residual stream
  /// divided by √(2·layers) (GPT-2's scheme); every value a pure function of (seed, tensor, index).
  /// - Parameters:
  ///   - seed: the seed.
  ///   - baseWidth: with muP the width at which the learning rate was found, see `WidthScaling`.
  ///   - baseHeadWidth: with muP the width of a head there, by default the same.
  package func initialise(seed: UInt64, baseWidth: Int? = nil, baseHeadWidth: Int? = nil) {
    let c = configuration, scaling = WidthScaling(c, baseWidth: baseWidth, baseHeadWidth: baseHeadWidth)
    for (index, tensor) in layout.tensors.enumerated() {
      let target = parameters.base + tensor.range.lowerBound
      guard tensor.shape.count == 2 else {
        target.update(repeating: Float(scaling.multiplier(tensor)), count: tensor.range.count)
        continue
      }
      var deviation = (tensor.decays ? 1 / Double(tensor.shape[1]).squareRoot() : 0.02) * scaling.multiplier(tensor)
      if tensor.name.hasSuffix("o_proj.weight") || tensor.name.hasSuffix("down_proj.weight") {
        deviation /= Double(2 * c.layers).squareRoot()
      }
      let random = CounterRandom(seed: seed, stream: UInt64(index))
      pool.ranges(tensor.range.count, grain: 16_384) { range in
        for i in range {
          let u = 1 - random.uniform(UInt64(2 * i)), angle = 2 * Double.pi * random.uniform(UInt64(2 * i + 1))
          target[i] = Float(deviation * (-2 * log(u)).squareRoot() * cos(angle))
        }
      }
    }
  }
}
