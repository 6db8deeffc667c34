import CKernels
import Foundation
import Kernels

/// AdamW (Loshchilov & Hutter 1711.05101) over flat buffers, with the update rule of PyTorch.
package final class AdamW {
  package let first: FloatBuffer
  package let second: FloatBuffer
  /// Updates done.
  package var steps = 0
  let betas: (Double, Double)
  let epsilon: Double
  private let segments: [(range: Range<Int>, decay: Float, rate: Float)]
  private static let block = 32_768

  /// Creates an optimizer for all parameters of a model.
  /// - Parameters:
  ///   - weightDecay: applied to the layers' matrices only.
  ///   - rates: a factor on the learning rate per tensor. The weight decay of a step is not scaled by it: it is always the learning rate
  ///     times `weightDecay`.
  package convenience init(
    _ layout: ParameterLayout, betas: (Double, Double), epsilon: Double, weightDecay: Double,
    rates: (ParameterLayout.Tensor) -> Double = { _ in 1 }
  ) {
    self.init(
      tensors: layout.tensors.map { ($0.range, $0.decays ? 1 / rates($0) : 0, rates($0)) }, count: layout.count, betas: betas,
      epsilon: epsilon, weightDecay: weightDecay)
  }

  /// Creates an optimizer for `count` floats.
  /// - Parameter tensors: ranges of the buffer, each with a factor on the weight decay and one on the learning rate.
  init(
    tensors: [(range: Range<Int>, decay: Double, rate: Double)], count: Int, betas: (Double, Double), epsilon: Double, weightDecay: Double
  ) {
    first = FloatBuffer(count)
    second = FloatBuffer(count)
    self.betas = betas
    self.epsilon = epsilon
    segments = tensors.flatMap { tensor in
      stride(from: tensor.range.lowerBound, to: tensor.range.upperBound, by: Self.block).map { start in
        (start..<min(start + Self.block, tensor.range.upperBound), Float(weightDecay * tensor.decay), Float(tensor.rate))
      }
    }
  }

  /// Resets the moments and the step counter.
  func clear() {
    first.clear()
    second.clear()
    steps = 0
  }

  /// The L2 norm of the gradients, summed in double precision in a fixed order.
  package func norm(_ gradients: FloatBuffer, pool: ThreadPool) -> Double {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: segments.count) { sums in
      pool.run(segments.count) { index in
        let range = segments[index].range
        sums[index] = weir_sum_squares(gradients.base + range.lowerBound, range.count)
      }
      return sums.reduce(0, +).squareRoot()
    }
  }

  /// Updates the parameters.
  /// - Parameter scale: a factor on the gradients, for clipping.
  package func update(_ parameters: FloatBuffer, gradients: FloatBuffer, scale: Double, learningRate: Double, pool: ThreadPool) {
    steps += 1
    let correction1 = Float(1 - pow(betas.0, Double(steps))), correction2 = Float(1 - pow(betas.1, Double(steps)))
    pool.run(segments.count) { index in
      let (range, decay, rate) = segments[index], at = range.lowerBound
      weir_adamw(
        parameters.base + at, gradients.base + at, first.base + at, second.base + at, range.count, Float(scale), Float(learningRate) * rate,
        Float(betas.0), Float(betas.1), Float(epsilon), decay, correction1, correction2)
    }
  }
}
