import Foundation

/// The size of a model: its non-embedding parameters and, where known, its shape.
package struct ModelSize: Codable, Sendable, Equatable {
  /// N: non-embedding parameters.
  package var parameters: Double
  package var width: Int?
  package var layers: Int?

  package init(parameters: Double, width: Int? = nil, layers: Int? = nil) {
    self.parameters = parameters
    self.width = width
    self.layers = layers
  }

  /// The shape whose N is near `parameters`, with a width that is a multiple of 32 and a ratio of width to layers near 48.
  ///
  /// N = 12·layers·width² holds for a decoder with an FFN of 8/3 of the width and as many key-value heads as query heads.
  /// - Parameter parameters: the wanted N, clamped to 10⁴…10¹³.
  package static func near(_ parameters: Double) -> ModelSize {
    let wanted = min(max(parameters.isFinite ? parameters : 1e13, 1e4), 1e13)
    var best = ModelSize(parameters: 12 * 32 * 32, width: 32, layers: 1)
    var cost = Double.infinity
    for layers in 1...256 {
      let ideal = (wanted / (12 * Double(layers))).squareRoot()
      let width = max(1, (ideal / 32).rounded()) * 32
      let actual = 12 * Double(layers) * width * width
      let miss = abs(log(actual / wanted))
      let aspect = abs(log(width / Double(layers) / 48))
      // A few percent of N matter less than a shape that trains well.
      let total = 4 * miss + aspect
      if total < cost {
        cost = total
        best = ModelSize(parameters: actual, width: Int(width), layers: layers)
      }
    }
    return best
  }
}
