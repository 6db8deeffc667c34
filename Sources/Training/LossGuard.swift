import Foundation
import Primitives

/// Detects NaN/Inf losses and gradients, a damaged model, and on request single loss spikes.
///
/// - A step with a NaN/Inf loss or gradient updates nothing but the step counter. After more than `TrainingConfiguration.patience` of them in
///   a row, the run rolls back to its last good checkpoint and skips the batches up to the last one (Chowdhery et al. 2204.02311 §5.1);
///   after `Settings.rollbacks` rollbacks, it fails.
/// - A loss that stays high for most of a window means that an update damaged the model, or that the batches are corrupt: the run rolls back to
///   a checkpoint from before the window. If the loss is high again on the batches that follow, it is the data, and the run
///   continues; it never fails for a high loss.
/// - A single high loss is not skipped by default: on uneven data, it is an ordinary batch of the rarer kind.
///
/// All decisions follow from the losses, and the state is part of every checkpoint.
package struct LossGuard: Codable, Sendable, Equatable {
  /// The thresholds, and the limit on rollbacks.
  package struct Settings: Codable, Sendable, Equatable {
    /// A spike lies more than this number of standard deviations above the moving average; 0 if spikes are not skipped.
    package var deviations = 0.0
    /// A spike also lies at least this far above the moving average, in nats/token; a damaged model this far above the losses before.
    package var margin = 0.5
    /// The largest number of rollbacks per run; 0 disables the detection of damage.
    package var rollbacks = 3

    package init() {}

    /// No rollbacks.
    package static let off: Settings = {
      var settings = Settings()
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

  /// The last losses in which damage shows.
  static let window = 16
  /// The losses before the window that it is compared with: at least, and at most.
  private static let reference = 32...128
  /// Losses before the moving averages are used.
  private static let warmup = 32
  /// As many other high losses within a reference make a spike data.
  private static let recurring = 2
  /// The largest share of the steps that are skipped as spikes.
  private static let maximumSpikeShare = 0.01
  /// Weight of the newest loss in the moving averages. The mean must not lag far behind a falling loss, so its weight is larger.
  private static let newestWeight = (mean: 1 / 8.0, variance: 1 / 32.0)

  /// Moving average of the losses of updates.
  private(set) var mean = 0.0
  /// Moving variance of the losses of updates.
  private(set) var variance = 0.0
  /// The number of updates.
  private(set) var count = 0
  /// The loss of the first update.
  private(set) var first = 0.0
  /// The losses of the last updates, the newest last; nil in checkpoints of earlier versions, as are the following.
  private(set) var recent: [Double]?
  /// The steps skipped as spikes within the last reference.
  private(set) var spikes: [Int]?
  /// The number of spikes skipped.
  private(set) var skippedSpikes: Int?
  /// The step that the last rollback for damage returned to.
  private(set) var retriedFrom: Int?

  package init() {}

  /// Judges a step by its loss and the norm of its gradient, before it updates the weights.
  /// - Parameter step: the number of the step, from 1.
  /// - Returns: the reason to reject the step, or nil.
  package mutating func judge(step: Int, loss: Double, norm: Double, _ settings: Settings) -> Rejection? {
    guard loss.isFinite, norm.isFinite else { return .nan }
    guard settings.deviations > 0, count >= Self.warmup,
      loss > mean + max(settings.deviations * variance.squareRoot(), settings.margin)
    else { return nil }
    let skips = (skippedSpikes ?? 0) + 1, known = (spikes ?? []).filter { $0 > step - Self.reference.upperBound }
    // The moving variance is large after a spike, so that not every loss of a recurring kind is a spike; all above the middle count.
    let similar = known.count + (recent ?? []).suffix(Self.reference.upperBound).count { 2 * $0 > mean + loss }
    guard similar < Self.recurring, Double(skips) <= Self.maximumSpikeShare * Double(step) else { return nil }
    spikes = known + [step]
    skippedSpikes = skips
    return .spike
  }

  /// Records the loss of a step that has updated the weights.
  package mutating func accept(_ loss: Double) {
    if count == 0 { (first, mean) = (loss, loss) }
    let difference = loss - mean
    mean += Self.newestWeight.mean * difference
    variance += Self.newestWeight.variance * (difference * difference - variance)
    count += 1
    recent = ((recent ?? []) + [loss]).suffix(Self.reference.upperBound + Self.window)
  }

  /// The loss that most of the window lies above if the model is damaged, or the batches are corrupt; otherwise nil.
  ///
  /// The lower quartile of the window is compared with the 90th percentile of the losses before it. On uneven data with a tenth or more of
  /// hard batches, that percentile is the loss of a hard batch; with fewer of them, twelve of sixteen batches are not hard by chance.
  package func damage(_ settings: Settings) -> Double? {
    let losses = recent ?? []
    guard settings.rollbacks > 0, losses.count >= Self.reference.lowerBound + Self.window else { return nil }
    let window = losses.suffix(Self.window).sorted(), before = losses.dropLast(Self.window).sorted()
    let limit = before[before.count * 9 / 10] + settings.margin
    return window[Self.window / 4] > limit ? limit : nil
  }

  /// Whether the losses before the window are those that the last rollback for damage already compared with, at least in part.
  func isRetry(step: Int) -> Bool { retriedFrom.map { step - $0 <= Self.reference.upperBound + Self.window } ?? false }

  /// Notes that the run has rolled back for damage, to this state.
  mutating func retry(from step: Int) { retriedFrom = step }

  /// Takes the present losses for data: what follows is compared with them.
  mutating func acceptLevel() { recent = recent?.suffix(Self.window) }
}
