/// A dropped, quarantined or shortened record with the reason, for `--rejects FILE`.
package struct Reject: Sendable, Equatable {
  /// `path:line` of the record.
  package var origin: String
  /// The stage that rejected it.
  package var stage: String
  package var reason: String
  /// What the record measured, for a rule with a threshold.
  package var measured: Double?
  /// The threshold.
  package var limit: Double?
  /// The bytes of text that were taken out of a record that stays; nil for one that does not.
  package var removedBytes: Int?
  /// The record as it was: a JSON line, or the raw bytes of a line that is not JSON.
  package var record: [UInt8]

  package init(origin: String, stage: String, reason: String, measured: Double? = nil, limit: Double? = nil, record: [UInt8]) {
    self.origin = origin
    self.stage = stage
    self.reason = reason
    (self.measured, self.limit) = (measured, limit)
    self.record = record
  }
}

/// Where a chain writes its rejects.
package protocol RejectWriter: Sendable {
  func write(_ rejects: [Reject]) throws
  /// Makes the rejects appear under their final name.
  func commit() throws
}
