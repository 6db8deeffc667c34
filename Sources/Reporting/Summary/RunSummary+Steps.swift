extension RunSummary {
  /// One step of the recipe.
  public struct Step: Sendable, Codable, Equatable {
    /// Its name.
    public var name: String?
    /// What it is for.
    public var why: String?
    /// Wall seconds.
    public var seconds: Double?
    /// Bytes of its output.
    public var bytes: Double?
    /// `done`, `skipped`, `failed`, ….
    public var state: String?

    /// Creates the value; what is not given is not known.
    public init(name: String? = nil, why: String? = nil, seconds: Double? = nil, bytes: Double? = nil, state: String? = nil) {
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
  public struct Account: Sendable, Codable, Equatable {
    /// The stage.
    public var name: String?
    /// Records that came in.
    public var input: Int?
    /// Records that went out.
    public var output: Int?
    /// Taken out on purpose, by reason.
    public var dropped: [String: Int]?
    /// Not understood, by reason.
    public var quarantined: [String: Int]?
    /// Bytes that came in.
    public var bytesIn: Double?
    /// Bytes that went out.
    public var bytesOut: Double?
    /// Wall seconds.
    public var seconds: Double?
    /// Further numbers, such as `tokens`.
    public var extra: [String: Double]?

    /// Creates the value; what is not given is not known.
    public init(
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
