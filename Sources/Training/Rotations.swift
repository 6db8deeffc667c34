import Foundation
import Kernels

/// The cos and sin of RoPE's angles, times the factor on attention, [positions, headWidth / 2]. Angles are rounded to float32 as in
/// transformers.
final class Rotations {
  let cosines: FloatBuffer
  let sines: FloatBuffer
  private let configuration: ModelConfiguration
  private let positions: Int
  var count: Int { cosines.count + sines.count }
  /// Whether the angles depend on the length of a text: only beyond the model's positions.
  private var isDynamic: Bool { configuration.ropeScaling?.kind == .dynamic && positions > configuration.sequence }

  init(_ configuration: ModelConfiguration, positions: Int) {
    self.configuration = configuration
    self.positions = positions
    cosines = FloatBuffer(positions * configuration.headWidth / 2)
    sines = FloatBuffer(positions * configuration.headWidth / 2)
    fill(0..<positions, length: min(positions, configuration.sequence))
  }

  /// Computes the angles of the positions of a range for a text of `length` tokens, if they depend on it.
  func adapt(_ range: Range<Int>, length: Int) {
    if isDynamic { fill(range, length: length) }
  }

  private func fill(_ range: Range<Int>, length: Int) {
    let half = configuration.headWidth / 2, factor = Float(configuration.ropeScaling?.attention ?? 1)
    for (i, frequency) in configuration.frequencies(length: length).enumerated() {
      for t in range {
        let angle = Double(Float(t) * frequency)
        cosines.base[t * half + i] = Float(cos(angle)) * factor
        sines.base[t * half + i] = Float(sin(angle)) * factor
      }
    }
  }
}
