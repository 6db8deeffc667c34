extension RunSummary {
  /// A point of a curve, `[x, y]` in JSON; a number that is not finite is written as null.
  package struct Point: Sendable, Codable, Equatable {
    /// The abscissa, such as tokens.
    package var x: Double
    /// The ordinate, such as loss.
    package var y: Double

    /// Creates a point.
    package init(_ x: Double, _ y: Double) {
      self.x = x
      self.y = y
    }

    /// Reads `[x, y]`.
    package init(from decoder: any Decoder) throws {
      var pair = try decoder.unkeyedContainer()
      x = try pair.decodeNil() ? .nan : pair.decode(Double.self)
      y = try pair.decodeNil() ? .nan : pair.decode(Double.self)
    }

    /// Writes `[x, y]`.
    package func encode(to encoder: any Encoder) throws {
      var pair = encoder.unkeyedContainer()
      for value in [x, y] {
        if value.isFinite { try pair.encode(value) } else { try pair.encodeNil() }
      }
    }
  }
}
