import Foundation
import Kernels

/// How fast a run is against the machine: FLOPs of the steps over time, as a share of what a matrix product of the model's shape reaches.
///
/// The product is timed once, for some 30 ms, when the run has lasted two seconds; nothing but the progress line depends on it.
struct SpeedMeter {
  private let model: ModelConfiguration
  private let sequence: Int
  private let pool: ThreadPool
  private var peak: Double?
  private var seconds = 0.0
  private var recent = 0.0

  init(model: ModelConfiguration, sequence: Int, pool: ThreadPool) {
    self.model = model
    self.sequence = sequence
    self.pool = pool
  }

  /// `, 78 % of peak`; empty in the first two seconds.
  mutating func text(tokens: Int, seconds step: Double) -> String {
    seconds += step
    let rate = Double(tokens) * model.flopsPerToken(context: sequence) / max(step, 1e-9)
    recent = recent == 0 ? rate : 0.9 * recent + 0.1 * rate
    guard seconds > 2 else { return "" }
    let most = peak ?? MatrixPeak.flops(rows: 512, inner: model.width, columns: min(2_048, 2 * model.ffn), pool: pool)
    peak = most
    return String(format: ", %.0f %% of peak", 100 * recent / max(most, 1))
  }
}
