import Foundation

/// The measured loss of one model on one domain: one line of JSON with the members `n`, `d`, `loss` and, optionally, `d_prime` (default 0),
/// `domain` ("all"), `model` (""), `unique`, `flops` and `seed` (0).
package struct MeasuredRun: Sendable, Equatable {
  /// The name of the model, for labels.
  package var model: String
  /// N: non-embedding parameters.
  package var n: Double
  /// D: general tokens.
  package var d: Double
  /// D′: specialization tokens.
  package var dPrime: Double
  /// The domain of the held-out text; "all" is the mean over domains.
  package var domain: String
  /// U: unique tokens among the specialization tokens; nil where none repeat.
  package var unique: Double?
  /// Held-out loss, nats/token.
  package var loss: Double
  /// Training compute in FLOPs; nil for 6N(D + D′).
  package var flops: Double?
  /// Random seed of the run.
  package var seed: UInt64

  /// The name of the mean over domains.
  package static let mean = "all"

  package init(
    model: String = "", n: Double, d: Double, dPrime: Double = 0, domain: String = MeasuredRun.mean, unique: Double? = nil,
    loss: Double, flops: Double? = nil, seed: UInt64 = 0
  ) {
    self.model = model
    self.n = n
    self.d = d
    self.dPrime = dPrime
    self.domain = domain
    self.unique = unique
    self.loss = loss
    self.flops = flops
    self.seed = seed
  }

  /// Why the run cannot be fitted, with the name of the member; nil where it can.
  package var problem: String? {
    for (name, value) in [("n", n), ("d", d), ("loss", loss), ("unique", unique ?? 1)] {
      guard value.isFinite else { return "member \"\(name)\" is not finite" }
      guard value > 0 else { return "member \"\(name)\" is \(value), not above 0" }
    }
    for (name, value) in [("d_prime", dPrime), ("flops", flops ?? 0)] {
      guard value.isFinite else { return "member \"\(name)\" is not finite" }
      guard value >= 0 else { return "member \"\(name)\" is \(value), not 0 or more" }
    }
    return domain.isEmpty ? "member \"domain\" is empty" : nil
  }

  /// A total order, so that a fit does not depend on the order of the lines of a file.
  static func precedes(_ a: MeasuredRun, _ b: MeasuredRun) -> Bool {
    if a.n != b.n { return a.n < b.n }
    if a.d != b.d { return a.d < b.d }
    if a.dPrime != b.dPrime { return a.dPrime < b.dPrime }
    if a.seed != b.seed { return a.seed < b.seed }
    if a.loss != b.loss { return a.loss < b.loss }
    return a.model < b.model
  }
}

extension MeasuredRun: Codable {
  private enum CodingKeys: String, CodingKey {
    case model, n, d
    case dPrime = "d_prime"
    case domain, unique, loss, flops, seed
  }

  /// Optional members get their defaults; unknown members are ignored.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let seed: UInt64?
    do { seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) } catch {
      // Foundation reports a negative number without its member.
      throw DecodingError.dataCorruptedError(forKey: .seed, in: values, debugDescription: "not an unsigned integer")
    }
    self.init(
      model: try values.decodeIfPresent(String.self, forKey: .model) ?? "", n: try values.decode(Double.self, forKey: .n),
      d: try values.decode(Double.self, forKey: .d), dPrime: try values.decodeIfPresent(Double.self, forKey: .dPrime) ?? 0,
      domain: try values.decodeIfPresent(String.self, forKey: .domain) ?? MeasuredRun.mean,
      unique: try values.decodeIfPresent(Double.self, forKey: .unique), loss: try values.decode(Double.self, forKey: .loss),
      flops: try values.decodeIfPresent(Double.self, forKey: .flops), seed: seed ?? 0)
  }
}
