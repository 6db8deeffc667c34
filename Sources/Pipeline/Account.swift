/// What became of every record of a stage: `input == output + dropped + quarantined`, always.
public struct Account: Sendable, Codable, Equatable {
  /// The stage's name.
  public var stage: String
  /// Records that came in.
  public var input = 0
  /// Records that went out.
  public var output = 0
  /// Records taken out on purpose, by reason.
  public var dropped: [String: Int] = [:]
  /// Records that could not be understood, by reason.
  public var quarantined: [String: Int] = [:]
  /// Where the first record that could not be understood stands, `path:line`.
  public var firstQuarantined: String?
  /// Bytes of text that came in.
  public var bytesIn = 0
  /// Bytes of text that went out.
  public var bytesOut = 0
  /// Wall seconds of the stage.
  public var seconds = 0.0
  /// Further numbers worth reporting, such as `tokens`.
  public var extra: [String: Double] = [:]

  /// Creates an empty account.
  public init(stage: String) { self.stage = stage }

  /// The number of dropped records.
  public var droppedTotal: Int { dropped.values.reduce(0, +) }
  /// The number of quarantined records.
  public var quarantinedTotal: Int { quarantined.values.reduce(0, +) }
  /// Whether nothing was lost.
  public var isBalanced: Bool { input == output + droppedTotal + quarantinedTotal }

  /// Counts one record dropped for `reason`.
  public mutating func drop(_ reason: String) { dropped[reason, default: 0] += 1 }
  /// Counts one record quarantined for `reason`, which stands at `origin`.
  public mutating func quarantine(_ reason: String, at origin: @autoclosure () -> String? = nil) {
    quarantined[reason, default: 0] += 1
    if firstQuarantined == nil { firstQuarantined = origin() }
  }

  /// Adds the counts of a later part of the same stage.
  public mutating func merge(_ other: Account) {
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
public struct Reject: Sendable, Equatable {
  /// `path:line` of the record.
  public var origin: String
  /// The stage that took it out.
  public var stage: String
  /// Why.
  public var reason: String
  /// The record as it was, a JSON line or the raw bytes of a line that is none.
  public var record: [UInt8]

  /// Creates a reject.
  public init(origin: String, stage: String, reason: String, record: [UInt8]) {
    self.origin = origin
    self.stage = stage
    self.reason = reason
    self.record = record
  }
}
