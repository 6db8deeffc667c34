import Foundation

/// Maps numbers to pixels, linearly or logarithmically, with round ticks. It never traps: NaN and infinity are left out of the domain, an empty
/// domain becomes 0…1 (log: 1…10), and a value without a place goes to the start.
package struct Scale: Sendable, Equatable {
  package enum Kind: Sendable { case linear, logarithmic }

  package let kind: Kind
  /// The domain.
  package let low: Double, high: Double
  /// The pixels of `low` and `high`; either may be the larger.
  package let start: Double, end: Double

  /// - Parameters:
  ///   - values: the data that the domain covers; NaN, infinity and, for a log scale, values ≤ 0 are ignored.
  ///   - pixels: the pixels of the lowest and the highest value.
  ///   - includingZero: whether a linear domain includes zero.
  ///   - padding: share of the domain's width to add at both ends.
  package init(_ values: [Double], kind: Kind = .linear, pixels: (Double, Double), includingZero: Bool = false, padding: Double = 0) {
    let limit = kind == .linear ? 1e150 : 1e300
    var usable = values.filter { $0.isFinite && abs($0) < limit && (kind == .linear || $0 > 1e-300) }
    if includingZero && kind == .linear { usable.append(0) }
    var low = usable.min() ?? (kind == .linear ? 0 : 1)
    var high = usable.max() ?? (kind == .linear ? 1 : 10)
    switch kind {
    case .linear:
      if low == high {
        let half = low == 0 ? 0.5 : abs(low) * 0.1
        (low, high) = includingZero && low == 0 ? (0, 1) : (low - half, high + half)
      }
      let pad = (high - low) * padding
      if !(includingZero && low == 0) { low -= pad }
      if !(includingZero && high == 0) { high += pad }
    case .logarithmic:
      if high / low < 1.02 { (low, high) = (low / 1.3, high * 1.3) }
      let pad = pow(high / low, padding)
      (low, high) = (low / pad, high * pad)
    }
    self.kind = kind
    (self.low, self.high) = (low, high)
    (start, end) = pixels
  }

  /// Whether a number has a place on the scale.
  package func holds(_ value: Double) -> Bool { value.isFinite && (kind == .linear || value > 0) }

  /// The pixel of a number, clamped to the ends of the scale.
  package func callAsFunction(_ value: Double) -> Double {
    guard holds(value) else { return start }
    let share = kind == .linear ? (value - low) / (high - low) : log(value / low) / log(high / low)
    return start + min(max(share, 0), 1) * (end - start)
  }

  /// Round numbers in the domain: multiples of 1, 2 or 5 · 10ⁿ; on a wide log scale, 1, 2 and 5 · 10ⁿ or powers of ten.
  /// - Parameter count: the approximate number of ticks.
  package func ticks(_ count: Int = 5) -> [Double] {
    kind == .linear ? Self.linearTicks(low, high, count) : Self.logarithmicTicks(low, high, count)
  }

  /// The ticks and their labels, with as many decimals as distinguish them.
  package func labels(_ count: Int = 5, format: ((Double) -> String)? = nil) -> [(value: Double, text: String)] {
    let values = ticks(count)
    if let format { return values.map { ($0, format($0)) } }
    let step = zip(values.dropFirst(), values).map { $0 - $1 }.min() ?? 1
    let decimals = kind == .logarithmic ? nil : step >= 1 ? 0 : min(9, Int((-log10(step) - 1e-9).rounded(.up)))
    return values.map { value in (value, decimals.map { Number.fixed(value, $0) } ?? Number.trimmed(value)) }
  }

  private static func linearTicks(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
    let rough = (high - low) / Double(max(count, 1))
    guard rough > 0, rough.isFinite else { return [low] }
    let power = pow(10, log10(rough).rounded(.down))
    guard power > 0, power.isFinite else { return [low] }
    let ratio = rough / power
    let step = power * (ratio < 1.42 ? 1 : ratio < 3.17 ? 2 : ratio < 7.08 ? 5 : 10)
    let first = (low / step - 1e-9).rounded(.up)
    let last = (high / step + 1e-9).rounded(.down)
    guard last >= first, last - first < 1000, abs(first) < 1e15 else { return [low] }
    return stride(from: first, through: last, by: 1).map { $0 == 0 ? 0 : exact($0, step) }
  }

  /// The multiple of a step without binary rounding errors: 0.3, not 0.30000000000000004.
  private static func exact(_ multiple: Double, _ step: Double) -> Double { step < 1 ? multiple / (1 / step).snapped : multiple * step }

  private static func logarithmicTicks(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
    let decades = log10(high / low)
    if decades < 0.9 { return linearTicks(low, high, count).filter { $0 > 0 } }
    let mantissas: [Double] = decades <= 2.2 ? [1, 2, 5] : decades < 3.5 ? [1, 3] : [1]
    let first = Int(log10(low).rounded(.down))
    let last = Int(log10(high).rounded(.up))
    let every = max(1, (last - first) / max(count, 1))
    var ticks: [Double] = []
    for exponent in first...max(first, last) where mantissas.count > 1 || (exponent - first) % every == 0 {
      for mantissa in mantissas {
        let value = exponent >= 0 ? mantissa * pow(10, Double(exponent)) : mantissa / pow(10, Double(-exponent))
        if value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9) { ticks.append(value) }
      }
    }
    return ticks
  }
}

extension Double {
  /// The nearest integer if it is within rounding errors, as 1/step is for steps of 1, 2 or 5 · 10⁻ⁿ.
  fileprivate var snapped: Double {
    let whole = rounded()
    return abs(whole - self) < 1e-6 * abs(self) ? whole : self
  }
}
