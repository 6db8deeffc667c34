import Foundation
import Kernels

/// Measures model FLOPs utilization (MFU): FLOP/s of the run as a percentage of the FLOP/s of a matrix product with the model's dimensions.
///
/// The product is timed for about 30 ms after two seconds of training and then every 30 seconds. The best time counts, because other
/// processes may use the machine. Only the progress line depends on it.
struct SpeedMeter {
  private let model: Transformer
  private var peak = 0.0
  private var seconds = 0.0
  private var due = 2.0
  private var recent = 0.0

  init(_ model: Transformer) { self.model = model }

  /// Such as `  MFU 78 %`; empty in the first two seconds.
  mutating func text(tokens: Int, seconds step: Double) -> String {
    seconds += step
    let rate = Double(tokens) * model.configuration.flopsPerToken(context: model.workspace.sequence) / max(step, 1e-9)
    recent = recent == 0 ? rate : 0.9 * recent + 0.1 * rate
    if seconds > due {
      peak = max(peak, measured())
      due = seconds + 30
    }
    return peak == 0 ? "" : String(format: "  MFU %.0f %%", 100 * recent / peak)
  }

  private func measured() -> Double {
    let m = 512, k = model.configuration.width, n = min(2_048, 2 * model.configuration.ffn), precision = model.precision
    return MatrixPeak.flops(rows: m, inner: k, columns: n, pool: model.pool) { a, b, c in
      precision.product(0, 0, m: m, n: n, k: k, a, k, b, n, c, n, add: false)
    }
  }
}
