import Foundation

/// The shape of the learning rate over a run. All schedules begin with a linear warmup.
package enum LearningRateSchedule: String, Codable, Sendable, CaseIterable {
  /// Warmup, stable, decay: constant, then linear decay over the last steps (Hu et al. 2404.06395 §4).
  case wsd
  /// Half a cosine from the peak to the final rate.
  case cosine
  /// Constant after warmup, for a trunk that branches continue.
  case constant
}

extension TrainingConfiguration {
  /// The learning rate of step `step` (from 0) of `total`.
  package func rate(step: Int, total: Int) -> Double {
    let warmupSteps = Int((warmup * Double(total)).rounded(.up))
    if step < warmupSteps { return learningRate * Double(step + 1) / Double(warmupSteps) }
    switch schedule {
    case .constant: return learningRate
    case .wsd:
      let decaySteps = min(Int((decay * Double(total)).rounded()), total - warmupSteps)
      guard step >= total - decaySteps else { return learningRate }
      return learningRate * (finalRate + (1 - finalRate) * Double(total - step) / Double(decaySteps + 1))
    case .cosine:
      let progress = Double(step - warmupSteps) / Double(max(1, total - warmupSteps))
      return learningRate * (finalRate + (1 - finalRate) * 0.5 * (1 + cos(Double.pi * progress)))
    }
  }
}
