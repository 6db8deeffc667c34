import Foundation
import Primitives

/// How RoPE's frequencies are changed for texts longer than those of pretraining.
///
/// The formulas are those of transformers (modeling_rope_utils.py), in the same order and in single precision, because at thousands of
/// positions the last bit of a frequency shows in the logits.
package struct RotaryScaling: Codable, Sendable, Equatable {
  package enum Kind: String, Codable, Sendable, CaseIterable {
    /// All frequencies are divided by the factor (Chen et al. 2306.15595).
    case linear
    /// θ grows with the length of the text once that exceeds the model's positions (NTK-aware interpolation).
    case dynamic
    /// Low frequencies are divided by the factor, high ones are kept (Llama 3.1).
    case llama3
    /// The same with a ramp between the two, and a factor on attention (Peng et al. 2309.00071).
    case yarn
  }

  package var kind: Kind
  package var factor: Double
  /// Positions before scaling.
  package var original: Int
  /// `llama3`: wavelengths above original / low are scaled, those below original / high are kept.
  package var lowFrequency = 1.0
  package var highFrequency = 4.0
  /// `yarn`: dimensions that turn more than `betaFast` times within `original` positions are kept, those that turn less than `betaSlow`
  /// times are scaled.
  package var betaFast = 32.0
  package var betaSlow = 1.0
  /// `yarn`: whether the ramp's ends are rounded to whole dimensions.
  package var truncates = true
  /// `yarn`: the factor on the rotated queries and keys.
  package var attention = 1.0

  package init(_ kind: Kind, factor: Double, original: Int) { (self.kind, self.factor, self.original) = (kind, factor, original) }

  /// Throws `WeirError` if a value is out of range.
  func validate(place: String, headWidth: Int) throws {
    func require(_ condition: Bool, _ reason: String) throws {
      if !condition { throw WeirError(place, "RoPE scaling of type \(kind.rawValue): \(reason)") }
    }
    try require(factor.isFinite && factor > 0, "factor must be positive, not \(factor)")
    try require((1...1 << 24).contains(original), "the original number of positions must be in 1…\(1 << 24), not \(original)")
    try require(kind != .dynamic || headWidth > 2, "the head width must be at least 4, not \(headWidth)")
    try require(
      lowFrequency > 0 && highFrequency > lowFrequency && highFrequency.isFinite,
      "low_freq_factor and high_freq_factor must be positive and in ascending order, not \(lowFrequency) and \(highFrequency)")
    try require(
      betaFast > 0 && betaFast.isFinite && betaSlow > 0 && betaSlow.isFinite,
      "beta_fast and beta_slow must be positive, not \(betaFast) and \(betaSlow)")
    try require(attention > 0 && attention.isFinite, "attention_factor must be positive, not \(attention)")
  }

  /// The scaled frequencies, given the power θ^(2i/width) of each pair of dimensions.
  fileprivate func frequencies(_ powers: [Float], theta: Double, width: Int) -> [Float] {
    let factor = Float(factor)
    switch kind {
    case .dynamic: return powers.map { 1 / $0 }
    case .linear: return powers.map { 1 / $0 / factor }
    case .llama3:
      let low = Float(lowFrequency), before = Double(original)
      return powers.map { power in
        let frequency = 1 / power, wavelength = 1 / frequency * Float(2 * Double.pi)
        if wavelength < Float(before / highFrequency) { return frequency }
        if wavelength > Float(before / lowFrequency) { return frequency / factor }
        let smooth = (1 / wavelength * Float(before) - low) / Float(highFrequency - lowFrequency)
        return (1 - smooth) * frequency / factor + smooth * frequency
      }
    case .yarn:
      func dimension(_ turns: Double) -> Double {
        Double(width) * log(Double(original) / (turns * 2 * Double.pi)) / (2 * log(theta))
      }
      var low = dimension(betaFast), high = dimension(betaSlow)
      if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
      (low, high) = (max(low, 0), min(high, Double(width - 1)))
      if low == high { high += 0.001 }
      return powers.enumerated().map { index, power in
        let kept = 1 - min(max((Float(index) - Float(low)) / Float(high - low), 0), 1)
        return 1 / (factor * power) * (1 - kept) + 1 / power * kept
      }
    }
  }

  /// The growth of θ for a text of `length` tokens (`dynamic`).
  fileprivate func growth(length: Int, width: Int) -> Float {
    guard kind == .dynamic, length > original else { return 1 }
    let stretch = Float(factor) * Float(length) / Float(original) - Float(factor - 1)
    return pow(stretch, Float(Double(width) / Double(width - 2)))
  }
}

extension ModelConfiguration {
  /// The most tokens of one text: the model's positions, or more if RoPE is scaled beyond them.
  package var longestSequence: Int {
    ropeScaling.map { max(sequence, Int(min($0.factor * Double($0.original), Double(1 << 20)))) } ?? sequence
  }

  /// Throws `WeirError` if the model can only be evaluated.
  /// - Parameter place: the place to report in the error.
  package func checkTrainable(place: String) throws {
    guard ropeScaling?.kind != .dynamic else {
      throw WeirError(
        place, "RoPE scaling of type dynamic is supported in evaluation and generation only",
        remedy: "train a model with linear, llama3 or yarn scaling")
    }
  }

  /// RoPE's frequencies in radians per position, [headWidth / 2], for a text of `length` tokens.
  package func frequencies(length: Int) -> [Float] {
    let theta = Float(ropeTheta) * (ropeScaling?.growth(length: length, width: headWidth) ?? 1)
    let powers = (0..<headWidth / 2).map { Float(pow(Double(theta), Double(Float(2 * $0) / Float(headWidth)))) }
    return ropeScaling?.frequencies(powers, theta: ropeTheta, width: headWidth) ?? powers.map { 1 / $0 }
  }
}
