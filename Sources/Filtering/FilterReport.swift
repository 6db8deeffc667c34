/// What each rule dropped from each domain.
package struct FilterReport: Sendable, Codable, Equatable {
  package struct Domain: Sendable, Codable, Equatable {
    package var name: String
    package var documents = 0
    package var dropped = 0
  }

  /// The documents of which a rule was the first that they break.
  package struct Rule: Sendable, Codable, Equatable {
    /// The reason in accounts and rejects, and the name of the threshold in `--set`.
    package var name: String
    package var dropped = 0
    /// The threshold, for a rule with a least value.
    package var minimum: Double?
    /// The threshold, for a rule with a largest value.
    package var maximum: Double?
    /// Dropped documents by domain.
    package var byDomain: [String: Int] = [:]
    package var samples: [Sample] = []

    enum CodingKeys: String, CodingKey {
      case name, dropped, minimum, maximum, samples
      case byDomain = "by_domain"
    }

    init(_ violation: Violation) {
      name = violation.reason
      guard let measured = violation.measured, let limit = violation.limit else { return }
      // A text without lines measures 0 where the minimum may be 0 as well.
      if measured > limit { maximum = limit } else { minimum = limit }
    }
  }

  /// A dropped document.
  package struct Sample: Sendable, Codable, Equatable {
    /// `path:line`.
    package var origin: String
    /// Nil for a rule without a threshold.
    package var measured: Double?
    /// The beginning of the text.
    package var text: String
  }

  /// What the domains are: `file`, or a member such as `source`.
  package var by: String
  /// By descending losses.
  package var domains: [Domain]
  /// By descending losses.
  package var rules: [Rule]

  package var documents: Int { domains.reduce(0) { $0 + $1.documents } }
  package var dropped: Int { domains.reduce(0) { $0 + $1.dropped } }
}
