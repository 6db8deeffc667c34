import CKernels
import Kernels

/// Elastic weight consolidation (EWC; Kirkpatrick et al. 1612.00796): the penalty ½·weight·Σ F·(θ − θ0)², F the diagonal of the Fisher
/// information.
package struct ElasticConsolidation: Codable, Sendable, Equatable {
  package var weight: Double
  /// The fingerprint of the sequences that the Fisher information is estimated from.
  package var data: String
  /// Their number.
  package var sequences: Int

  package init(weight: Double, data: String, sequences: Int) { (self.weight, self.data, self.sequences) = (weight, data, sequences) }
}

/// The penalties on the distance from the initial weights θ0: ½·Σ (l2 + ewc·F)·(θ − θ0)².
final class WeightPenalty {
  private let initial: FloatBuffer
  private let fisher: FloatBuffer?
  private let l2: Float
  private let ewc: Float

  /// - Parameters:
  ///   - initial: θ0.
  ///   - fisher: F, if the configuration has elastic weight consolidation.
  init(_ configuration: TrainingConfiguration, initial: FloatBuffer, fisher: FloatBuffer?) {
    (self.initial, self.fisher) = (initial, fisher)
    (l2, ewc) = (Float(configuration.l2), Float(configuration.ewc?.weight ?? 0))
  }

  /// Adds the gradient of the penalties.
  func addGradient(of parameters: FloatBuffer, to gradients: FloatBuffer, pool: ThreadPool) {
    pool.ranges(parameters.count, grain: 65_536) { range in
      let at = range.lowerBound
      weir_pull(
        gradients.base + at, parameters.base + at, initial.base + at, fisher.map { UnsafePointer($0.base + at) }, range.count, l2, ewc)
    }
  }
}
