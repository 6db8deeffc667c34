extension RunSummary {
  /// One step of the recipe.
  package struct Step: Sendable, Codable, Equatable {
    /// Its name.
    package var name: String?
    /// What it is for.
    package var why: String?
    /// Wall seconds.
    package var seconds: Double?
    /// Bytes of its output.
    package var bytes: Double?
    /// `done`, `skipped`, `failed`, ….
    package var state: String?

    /// Creates the value; what is not given is not known.
    package init(name: String? = nil, why: String? = nil, seconds: Double? = nil, bytes: Double? = nil, state: String? = nil) {
      self.name = name
      self.why = why
      self.seconds = seconds
      self.bytes = bytes
      self.state = state
    }

    private enum CodingKeys: String, CodingKey {
      case name, why, seconds, bytes, state
    }
  }

  /// What became of every record of a stage: input = output + dropped + quarantined.
  package struct Account: Sendable, Codable, Equatable {
    /// The stage.
    package var name: String?
    /// Records that came in.
    package var input: Int?
    /// Records that went out.
    package var output: Int?
    /// Taken out on purpose, by reason.
    package var dropped: [String: Int]?
    /// Not understood, by reason.
    package var quarantined: [String: Int]?
    /// Bytes that came in.
    package var bytesIn: Double?
    /// Bytes that went out.
    package var bytesOut: Double?
    /// Wall seconds.
    package var seconds: Double?
    /// Further numbers, such as `tokens`.
    package var extra: [String: Double]?

    /// Creates the value; what is not given is not known.
    package init(
      name: String? = nil, input: Int? = nil, output: Int? = nil, dropped: [String: Int]? = nil, quarantined: [String: Int]? = nil,
      bytesIn: Double? = nil, bytesOut: Double? = nil, seconds: Double? = nil, extra: [String: Double]? = nil
    ) {
      self.name = name
      self.input = input
      self.output = output
      self.dropped = dropped
      self.quarantined = quarantined
      self.bytesIn = bytesIn
      self.bytesOut = bytesOut
      self.seconds = seconds
      self.extra = extra
    }

    private enum CodingKeys: String, CodingKey {
      case name, input, output, dropped, quarantined, seconds, extra
      case bytesIn = "bytes_in"
      case bytesOut = "bytes_out"
    }
  }
}
