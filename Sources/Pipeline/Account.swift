/// What happened to the records of a stage: `input == output + dropped + quarantined`, always.
package struct Account: Sendable, Codable, Equatable {
  /// The stage's name.
  package var stage: String
  /// Records that came in.
  package var input = 0
  /// Records that went out.
  package var output = 0
  /// Records dropped by a rule, by reason.
  package var dropped: [String: Int] = [:]
  /// Unreadable records, by reason.
  package var quarantined: [String: Int] = [:]
  /// Where the first quarantined record is, `path:line`.
  package var firstQuarantined: String?
  /// Bytes of text that came in.
  package var bytesIn = 0
  /// Bytes of text that went out.
  package var bytesOut = 0
  /// Seconds that all threads together spent in a stage; wall-clock seconds for a barrier.
  package var seconds = 0.0
  /// Further counts worth reporting, such as `tokens`.
  package var extra: [String: Double] = [:]

  package init(stage: String) { self.stage = stage }

  package var droppedTotal: Int { dropped.values.reduce(0, +) }
  package var quarantinedTotal: Int { quarantined.values.reduce(0, +) }
  /// Whether every record that came in is accounted for.
  package var isBalanced: Bool { input == output + droppedTotal + quarantinedTotal }

  /// Counts one dropped record.
  package mutating func drop(_ reason: String) { dropped[reason, default: 0] += 1 }
  /// Counts one quarantined record.
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
