import Foundation
import Primitives

/// Detects loss spikes and NaN/Inf losses or gradients.
///
/// A rejected step updates nothing but the step counter. After more than `TrainingConfiguration.patience` rejected steps in a row, the run
/// rolls back to its last good checkpoint and skips the batches up to the last rejected one (Chowdhery et al. 2204.02311 §5.1); after
/// `Settings.rollbacks` rollbacks, it fails. All decisions follow from the losses, and the state is part of every checkpoint.
package struct LossGuard: Codable, Sendable, Equatable {
  /// The thresholds for spikes, and the limit on rollbacks.
  package struct Settings: Codable, Sendable, Equatable {
    /// A spike lies more than this number of standard deviations above the moving average; 0 disables spike detection.
    package var deviations = 6.0
    /// A spike also lies at least this far above the moving average, in nats/token.
    package var margin = 0.5
    /// The largest number of rollbacks per run.
    package var rollbacks = 3

    package init() {}

    /// No spike detection, no rollbacks.
    package static let off: Settings = {
      var settings = Settings()
      settings.deviations = 0
      settings.rollbacks = 0
      return settings
    }()

    func validate() throws {
      guard deviations.isFinite, deviations >= 0 else {
        throw WeirError("deviations", "must be a finite number of standard deviations ≥ 0, not \(deviations)")
      }
      guard margin.isFinite, margin >= 0 else { throw WeirError("margin", "must be a finite number ≥ 0, not \(margin)") }
      guard (0...1_000).contains(rollbacks) else { throw WeirError("rollbacks", "must be in 0…1000, not \(rollbacks)") }
    }
  }

  /// A return to an earlier checkpoint.
  package struct Rollback: Codable, Sendable, Equatable {
    /// The step after which the run rolled back.
    package var from: Int
    /// The step of the checkpoint it rolled back to.
    package var to: Int
    package var reason: String
    /// The step whose line it follows in the log: `to`, or an earlier step if a later rollback went further back.
    var logStep: Int

    enum CodingKeys: String, CodingKey {
      case from, to, reason
      case logStep = "place"
    }

    var record: RollbackRecord { RollbackRecord(step: logStep, from: from, to: to, reason: reason) }
  }

  /// Why a step is rejected.
  package enum Rejection: String, Codable, Sendable {
    /// The loss or the gradient contains NaN or an infinity.
    case nan
    case spike

    package init(from decoder: any Decoder) throws {
      let name = try decoder.singleValueContainer().decode(String.self)
      // "no number" in older logs.
      self = name == Self.spike.rawValue ? .spike : .nan
    }
  }

  /// Moving average of the accepted losses.
  private(set) var mean = 0.0
  /// Moving variance of the accepted losses.
  private(set) var variance = 0.0
  /// The number of accepted losses.
  private(set) var count = 0
  /// The first accepted loss.
  private(set) var first = 0.0

  /// Weights of the newest loss in the moving averages. The mean must not lag far behind a falling loss, so its weight is larger.
  private static let newestWeight = (mean: 1 / 8.0, variance: 1 / 32.0)
  /// Accepted losses before the moving averages are used.
  private static let warmup = 32

  /// Judges a step by its loss and the norm of its gradient.
  /// - Parameter vocabulary: until the moving averages are warmed up, a loss is a spike if it exceeds twice the larger of the uniform
  ///   distribution's loss, ln(vocabulary), and the first loss.
  /// - Returns: the reason to reject the step, or nil.
  func judge(loss: Double, norm: Double, vocabulary: Int, _ settings: Settings) -> Rejection? {
    guard loss.isFinite, norm.isFinite else { return .nan }
    guard settings.deviations > 0, count > 0 else { return nil }
    let early = 2 * max(first, log(Double(vocabulary)))
    let limit = mean + max(settings.deviations * variance.squareRoot(), settings.margin)
    return loss > (count < Self.warmup ? early : limit) ? .spike : nil
  }

  /// Updates the moving averages with an accepted loss.
  mutating func accept(_ loss: Double) {
    if count == 0 { (first, mean) = (loss, loss) }
    let difference = loss - mean
    mean += Self.newestWeight.mean * difference
    variance += Self.newestWeight.variance * (difference * difference - variance)
    count += 1
  }
}
