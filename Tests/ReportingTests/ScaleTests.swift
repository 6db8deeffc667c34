import Primitives
import Reporting
import Testing

@Suite struct ScaleTests {
  @Test func linearTicksAreNice() {
    #expect(Scale([0, 10], pixels: (0, 100)).ticks(5) == [0, 2, 4, 6, 8, 10])
    #expect(Scale([0.13, 0.87], pixels: (0, 100)).ticks(4) == [0.2, 0.4, 0.6, 0.8])
    #expect(Scale([-3, 4], pixels: (0, 100)).ticks(4) == [-2, 0, 2, 4])
    #expect(Scale([0.1, 0.3], pixels: (0, 1)).ticks(4).contains(0.3), "no binary rounding errors")
  }

  @Test func logarithmicTicksAreNice() {
    #expect(Scale([10, 1000], kind: .logarithmic, pixels: (0, 1)).ticks(5) == [10, 20, 50, 100, 200, 500, 1000])
    #expect(Scale([1, 1e6], kind: .logarithmic, pixels: (0, 1)).ticks(8) == [1, 10, 100, 1000, 1e4, 1e5, 1e6])
    #expect(Scale([50, 90], kind: .logarithmic, pixels: (0, 1)).ticks(4) == [50, 60, 70, 80, 90])
  }

  @Test func labelsHaveTheDecimalsTheyNeed() {
    #expect(Scale([0, 1], pixels: (0, 1)).labels(5).map(\.text) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(Scale([0, 2000], pixels: (0, 1)).labels(4).map(\.text) == ["0", "500", "1,000", "1,500", "2,000"])
  }

  @Test func anyDomainGivesFewTicksInOrderWithinIt() {
    for seed in 0..<40 as Range<UInt64> {
      var random = SequentialRandom(seed: seed)
      for kind in [Scale.Kind.linear, .logarithmic] {
        let size = [1e-9, 1e-3, 1, 1e6, 1e12][Int(seed % 5)]
        let values = (0..<5).map { _ in size * (kind == .linear ? random.uniform() - 0.4 : random.uniform()) }
        let scale = Scale(values, kind: kind, pixels: (10, 500))
        let ticks = scale.ticks(5)
        #expect(!ticks.isEmpty && ticks.count <= 14, "\(seed) \(kind): \(ticks)")
        #expect(ticks == ticks.sorted() && Set(ticks).count == ticks.count)
        let slack = (scale.high - scale.low) * 1e-6
        #expect(ticks.allSatisfy { $0 >= scale.low - slack && $0 <= scale.high + slack }, "\(seed) \(kind): \(ticks)")
        #expect(values.allSatisfy { (10...500).contains(scale($0)) })
      }
    }
  }

  @Test func degenerateDomainsAreSafe() {
    let odd: [[Double]] = [
      [], [.nan], [.infinity, -.infinity], [0], [5, 5], [-1], [1e308, -1e308], [Double.leastNonzeroMagnitude, 1], [1e300], [0, 0],
      [1, 1 + 1e-16],
    ]
    for values in odd {
      for kind in [Scale.Kind.linear, .logarithmic] {
        let scale = Scale(values, kind: kind, pixels: (0, 100), padding: 0.05)
        #expect(scale.low < scale.high && scale.low.isFinite && scale.high.isFinite, "\(values)")
        for value in values + [.nan, 0, -1, .infinity] { #expect((0...100).contains(scale(value)), "\(values)") }
        for label in scale.labels(5) { #expect(!label.text.contains("nan") && !label.text.contains("inf")) }
      }
    }
  }

  @Test func numbersReadAsPeopleWriteThem() {
    let plain = { (text: String) in String(text.map { $0 == "\u{A0}" ? " " : $0 }) }
    #expect(Number.fixed(27156.4) == "27,156" && Number.fixed(-0.04, 1) == "0.0" && Number.fixed(-1234.56, 1) == "−1,234.6")
    #expect(Number.perplexity(56.63) == "56.6" && Number.perplexity(2163.5) == "2,164" && Number.perplexity(3.218) == "3.22")
    #expect(plain(Number.compact(17_958_113)) == "18.0 M" && plain(Number.compact(999_999)) == "1.00 M" && Number.compact(950) == "950")
    #expect(plain(Number.bytes(245_000_000)) == "245 MB" && plain(Number.bytes(12)) == "12 B")
    #expect(plain(Number.percent(0.9233)) == "92 %" && plain(Number.percent(0.0061)) == "0.61 %" && plain(Number.percent(1)) == "100 %")
    #expect(plain(Number.percent(0.999)) == "99.9 %" && plain(Number.percent(0.0994)) == "9.9 %")
    #expect(
      plain(Number.seconds(203)) == "3 min 23 s" && plain(Number.seconds(7800)) == "2 h 10 min" && plain(Number.seconds(0.42)) == "0.4 s")
    #expect(plain(Number.scientific(1.97e13)) == "2.0 × 10¹³" && plain(Number.scientific(9.99e-5)) == "1.0 × 10⁻⁴")
    #expect(plain(Number.tick(1e6)) == "1 M" && plain(Number.tick(2.5e6)) == "2.5 M" && plain(Number.tickPercent(0.05)) == "5 %")
    #expect(Number.epochs(4.12) == "4.1" && plain(Number.epochs(0.004)) == "< 0.01" && Number.epochs(0) == "0")
    #expect(Number.trimmed(0.0003) == "0.0003" && Number.trimmed(120, 2) == "120")
    for odd in [Double.nan, .infinity, -.infinity] {
      #expect(Number.fixed(odd) == "–" && Number.compact(odd) == "–" && Number.seconds(odd) == "–" && Number.percent(odd) == "–")
    }
    for huge in [1e18, -1e18, 1e308, -1e308, Double.leastNonzeroMagnitude] {
      for text in [Number.fixed(huge, 3), Number.compact(huge), Number.seconds(huge), Number.percent(huge), Number.general(huge)] {
        #expect(!text.isEmpty && !text.contains("inf"))
      }
    }
  }
}
