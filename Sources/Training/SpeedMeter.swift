import Foundation
import Kernels

/// How fast a run is against the machine: FLOPs of the steps over time, as a share of what a matrix product of the model's shape reaches.
///
/// The product is timed for some 30 ms when the run has lasted two seconds and every half minute after, and the best counts, since others
/// may use the machine; nothing but the progress line depends on it.
struct SpeedMeter {
  private let model: ModelConfiguration
  private let precision: Precision
  private let sequence: Int
  private let pool: ThreadPool
  private var peak = 0.0
  private var seconds = 0.0
  private var due = 2.0
  private var recent = 0.0

  init(model: ModelConfiguration, precision: Precision, sequence: Int, pool: ThreadPool) {
    self.model = model
    self.precision = precision
    self.sequence = sequence
    self.pool = pool
  }

  /// `, 78 % of peak`; empty in the first two seconds.
  mutating func text(tokens: Int, seconds step: Double) -> String {
    seconds += step
    let rate = Double(tokens) * model.flopsPerToken(context: sequence) / max(step, 1e-9)
    recent = recent == 0 ? rate : 0.9 * recent + 0.1 * rate
    if seconds > due {
      peak = max(peak, measured())
      due = seconds + 30
    }
    return peak == 0 ? "" : String(format: ", %.0f %% of peak", 100 * recent / peak)
  }

  private func measured() -> Double {
    let m = 512, k = model.width, n = min(2_048, 2 * model.ffn), precision = precision
    return MatrixPeak.flops(rows: m, inner: k, columns: n, pool: pool) { a, b, c in
      precision.product(0, 0, m: m, n: n, k: k, a, k, b, n, c, n, add: false)
    }
  }
}
