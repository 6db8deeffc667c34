/// A dropped or quarantined record with the reason, for `--rejects FILE`.
package struct Reject: Sendable, Equatable {
  /// `path:line` of the record.
  package var origin: String
  /// The stage that rejected it.
  package var stage: String
  package var reason: String
  /// The record as it was: a JSON line, or the raw bytes of a line that is not JSON.
  package var record: [UInt8]

  package init(origin: String, stage: String, reason: String, record: [UInt8]) {
    self.origin = origin
    self.stage = stage
    self.reason = reason
    self.record = record
  }
}

/// Where a chain writes its rejects.
package protocol RejectWriter: Sendable {
  func write(_ rejects: [Reject]) throws
  /// Makes the rejects appear under their final name.
  func commit() throws
}
