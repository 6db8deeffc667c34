import Foundation
import Primitives

/// Watches the losses of a run for spikes and for what is no number.
///
/// A step that it refuses changes nothing but the count of steps. After more refusals in a row than `patience` the run goes back to its
/// last sound checkpoint and passes over the batches up to the last refused one (Chowdhery et al. 2204.02311 §5.1); after
/// `Settings.rollbacks` of these it gives up. All of it is a function of the losses, and its state lies in the checkpoints.
package struct LossGuard: Codable, Sendable, Equatable {
  /// What counts as a spike.
  package struct Settings: Codable, Sendable, Equatable {
    /// Standard deviations above the moving mean; 0 sees no spikes, only what is no number.
    package var deviations = 6.0
    /// Nats above the moving mean that no spike is below.
    package var margin = 0.5
    /// How often a run may go back.
    package var rollbacks = 3

    /// The defaults.
    package init() {}

    /// Sees no spikes and never goes back.
    package static let off: Settings = {
      var settings = Settings()
      settings.deviations = 0
      settings.rollbacks = 0
      return settings
    }()

    func validate() throws {
      guard deviations.isFinite, deviations >= 0 else { throw WeirError("--spike", "\(deviations) is no number of deviations") }
      guard margin.isFinite, margin >= 0 else { throw WeirError("--spike", "\(margin) is no margin") }
      guard (0...1_000).contains(rollbacks) else { throw WeirError("--rollbacks", "\(rollbacks) is not in 0…1000") }
    }
  }

  /// One return to an earlier checkpoint.
  package struct Incident: Codable, Sendable, Equatable {
    /// The step after which the run went back.
    package var from: Int
    /// The step it went back to.
    package var to: Int
    /// Why.
    package var reason: String
    /// The step after whose line it stands in the log: `to`, or less where a later return went back further.
    var place: Int

    struct Line: Codable {
      var step: Int
      var event: String
      var from: Int
      var to: Int
      var reason: String
    }

    /// The line in the log.
    var line: Line { Line(step: place, event: "rollback", from: from, to: to, reason: reason) }
  }

  /// What is wrong with a step.
  enum Refusal: String {
    case noNumber = "no number"
    case spike
  }

  /// The moving mean of accepted losses.
  private(set) var mean = 0.0
  /// Their moving variance.
  private(set) var variance = 0.0
  /// Accepted losses.
  private(set) var count = 0
  /// The first of them.
  private(set) var first = 0.0

  /// The share of the newest loss in the mean, which must not lag far behind a falling loss, and in the variance.
  private static let shares = (mean: 1 / 8.0, variance: 1 / 32.0)
  /// Accepted losses before mean and variance count.
  private static let ready = 32

  /// What is wrong with a loss and the norm of its gradient; nil where nothing is.
  /// - Parameter vocabulary: before there is a mean, twice the loss of equal probabilities, or of the first step, is a spike.
  func judge(loss: Double, norm: Double, vocabulary: Int, _ settings: Settings) -> Refusal? {
    guard loss.isFinite, norm.isFinite else { return .noNumber }
    guard settings.deviations > 0, count > 0 else { return nil }
    let early = 2 * max(first, log(Double(vocabulary)))
    let limit = mean + max(settings.deviations * variance.squareRoot(), settings.margin)
    return loss > (count < Self.ready ? early : limit) ? .spike : nil
  }

  /// Takes an accepted loss into account.
  mutating func accept(_ loss: Double) {
    if count == 0 { (first, mean) = (loss, loss) }
    let difference = loss - mean
    mean += Self.shares.mean * difference
    variance += Self.shares.variance * (difference * difference - variance)
    count += 1
  }
}
