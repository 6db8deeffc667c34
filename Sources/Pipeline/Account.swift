/// What became of every record of a stage: `input == output + dropped + quarantined`, always.
package struct Account: Sendable, Codable, Equatable {
  /// The stage's name.
  package var stage: String
  /// Records that came in.
  package var input = 0
  /// Records that went out.
  package var output = 0
  /// Records taken out on purpose, by reason.
  package var dropped: [String: Int] = [:]
  /// Records that could not be understood, by reason.
  package var quarantined: [String: Int] = [:]
  /// Where the first record that could not be understood stands, `path:line`.
  package var firstQuarantined: String?
  /// Bytes of text that came in.
  package var bytesIn = 0
  /// Bytes of text that went out.
  package var bytesOut = 0
  /// Wall seconds of the stage.
  package var seconds = 0.0
  /// Further numbers worth reporting, such as `tokens`.
  package var extra: [String: Double] = [:]

  /// Creates an empty account.
  package init(stage: String) { self.stage = stage }

  /// The number of dropped records.
  package var droppedTotal: Int { dropped.values.reduce(0, +) }
  /// The number of quarantined records.
  package var quarantinedTotal: Int { quarantined.values.reduce(0, +) }
  /// Whether nothing was lost.
  package var isBalanced: Bool { input == output + droppedTotal + quarantinedTotal }

  /// Counts one record dropped for `reason`.
  package mutating func drop(_ reason: String) { dropped[reason, default: 0] += 1 }
  /// Counts one record quarantined for `reason`, which stands at `origin`.
  package mutating func quarantine(_ reason: String, at origin: @autoclosure () -> String? = nil) {
    quarantined[reason, default: 0] += 1
    if firstQuarantined == nil { firstQuarantined = origin() }
  }

  /// Adds the counts of a later part of the same stage.
  package mutating func merge(_ other: Account) {
    input += other.input
    output += other.output
    bytesIn += other.bytesIn
    bytesOut += other.bytesOut
    seconds += other.seconds
    dropped.merge(other.dropped, uniquingKeysWith: +)
    quarantined.merge(other.quarantined, uniquingKeysWith: +)
    extra.merge(other.extra, uniquingKeysWith: +)
    firstQuarantined = firstQuarantined ?? other.firstQuarantined
  }
}

/// A record that did not pass, with the reason, for `--rejects FILE`.
package struct Reject: Sendable, Equatable {
  /// `path:line` of the record.
  package var origin: String
  /// The stage that took it out.
  package var stage: String
  /// Why.
  package var reason: String
  /// The record as it was, a JSON line or the raw bytes of a line that is none.
  package var record: [UInt8]

  /// Creates a reject.
  package init(origin: String, stage: String, reason: String, record: [UInt8]) {
    self.origin = origin
    self.stage = stage
    self.reason = reason
    self.record = record
  }
}
