import Primitives
import Training

/// The shape of a new model: a preset, or a width with optional details, for any vocabulary.
package struct ModelShape: Codable, Sendable, Equatable {
  package var preset = "micro"
  /// The width of the residual stream; nil for the preset's.
  package var width: Int?
  package var layers: Int?
  package var heads: Int?
  /// Heads of keys and values; nil for as many as heads.
  package var kvHeads: Int?
  /// The inner width of the feed-forward layers.
  package var ffn: Int?
  /// Whether queries and keys are normalized.
  package var qkNorm = false

  package init() {}

  package init(width: Int, layers: Int) { (self.width, self.layers) = (width, layers) }

  package func configuration(vocabulary: Int, sequence: Int) throws -> ModelConfiguration {
    for (property, value) in [("width", width), ("layers", layers), ("heads", heads), ("kvHeads", kvHeads), ("ffn", ffn)] {
      let most = ModelConfiguration.most(property)
      if let value, !(1...most).contains(value) { throw WeirError(property, "must be in 1…\(most), not \(value)") }
    }
    var shape = try ModelConfiguration.preset(preset, vocabulary: vocabulary, sequence: sequence)
    if let width {
      // Defaults: a head width of 32, and SwiGLU's factor 8/3 in whole multiples of 16.
      shape = ModelConfiguration(
        vocabulary: vocabulary, width: width, layers: layers ?? shape.layers, heads: heads ?? max(1, width / 32),
        kvHeads: kvHeads, ffn: ffn ?? (width * 8 / 3 + 15) / 16 * 16, sequence: sequence)
    } else {
      if let layers { shape.layers = layers }
      if let heads {
        shape.headWidth = max(1, shape.width / max(1, heads))
        shape.heads = heads
        shape.kvHeads = heads
      }
      if let kvHeads { shape.kvHeads = kvHeads }
      if let ffn { shape.ffn = ffn }
    }
    shape.qkNorm = qkNorm
    try shape.validate(place: "modelConfiguration")
    return shape
  }
}
