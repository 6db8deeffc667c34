import CKernels
import Foundation
import Kernels

/// AdamW with global-norm clipping in PyTorch's form (Loshchilov & Hutter 1711.05101), over the flat buffers.
package final class AdamW {
  /// First moments.
  package let first: FloatBuffer
  /// Second moments.
  package let second: FloatBuffer
  /// Updates done so far.
  package var steps = 0
  let betas: (Double, Double)
  let epsilon: Double
  private let segments: [(range: Range<Int>, decay: Float, rate: Float)]
  private static let block = 32_768

  /// Creates zero moments for a layout.
  /// - Parameters:
  ///   - layout: where the tensors lie.
  ///   - betas: decay of the first and second moments.
  ///   - epsilon: number beside the root.
  ///   - weightDecay: applied to the layers' matrices.
  ///   - rates: a factor of the learning rate per tensor, 1 by default; the decay of a step stays rate times `weightDecay`.
  package convenience init(
    _ layout: ParameterLayout, betas: (Double, Double), epsilon: Double, weightDecay: Double,
    rates: (ParameterLayout.Tensor) -> Double = { _ in 1 }
  ) {
    self.init(
      tensors: layout.tensors.map { ($0.range, $0.decays ? 1 / rates($0) : 0, rates($0)) }, count: layout.count, betas: betas,
      epsilon: epsilon,
      weightDecay: weightDecay)
  }

  /// Creates zero moments for `count` floats in tensors, each with a factor of the weight decay and one of the learning rate.
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

  /// Forgets every update.
  func clear() {
    first.clear()
    second.clear()
    steps = 0
  }

  /// The L2 norm of the gradients, summed in double in a fixed order.
  package func norm(_ gradients: FloatBuffer, pool: ThreadPool) -> Double {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: segments.count) { sums in
      pool.run(segments.count) { index in
        let range = segments[index].range
        sums[index] = weir_sum_squares(gradients.base + range.lowerBound, range.count)
      }
      return sums.reduce(0, +).squareRoot()
    }
  }

  /// One update.
  /// - Parameters:
  ///   - parameters: updated.
  ///   - gradients: read.
  ///   - scale: the clipping factor, 1 for none.
  ///   - learningRate: the step's rate.
  ///   - pool: the threads.
  package func update(_ parameters: FloatBuffer, gradients: FloatBuffer, scale: Double, learningRate: Double, pool: ThreadPool) {
    steps += 1
    let correction1 = Float(1 - pow(betas.0, Double(steps))), correction2 = Float(1 - pow(betas.1, Double(steps)))
    pool.run(segments.count) { index in
      let (range, decay, rate) = segments[index], at = range.lowerBound
      weir_adamw(
        parameters.base + at, gradients.base + at, first.base + at, second.base + at, range.count, Float(scale),
        Float(learningRate) * rate, Float(betas.0), Float(betas.1), Float(epsilon), decay, correction1,
        correction2)
    }
  }
}
