import Foundation
import Primitives

/// How long the fuzz tests go on: a few hundred runs each with the other tests, as many as wanted with `make fuzz RUNS=…`.
enum Fuzz {
  private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }

  /// Runs of each target.
  static let runs = number("WEIR_FUZZ_RUNS") ?? 400
  /// The first run; each run is a function of its number alone, so that one can be looked at again.
  static let first = number("WEIR_FUZZ_FIRST") ?? 0

  /// Calls `body` with the number of each run and its randomness.
  /// - Returns: the number of runs.
  @discardableResult
  static func run(_ target: String, stream: UInt64, _ body: (Int, inout SequentialRandom) throws -> Void) rethrows -> Int {
    let tells = runs >= 10_000
    let start = Date()
    for run in first..<first + runs {
      // The last line before a crash tells where to look.
      if tells, run % (runs / 100) == 0 {
        let seconds = Int(Date().timeIntervalSince(start))
        FileHandle.standardError.write(Data("fuzz \(target): \(run - first) of \(runs) runs, \(seconds) s\n".utf8))
      }
      var random = SequentialRandom(seed: UInt64(run), stream: stream)
      try body(run, &random)
    }
    if tells { FileHandle.standardError.write(Data("fuzz \(target): \(runs) runs done, \(Int(Date().timeIntervalSince(start))) s\n".utf8)) }
    return runs
  }
}

/// Changes to bytes that parsers do not expect.
enum Mutation {
  static func apply(_ bytes: inout [UInt8], words: [[UInt8]], _ random: inout SequentialRandom) {
    guard !bytes.isEmpty else { return }
    func place() -> Int { Int.random(in: 0..<bytes.count, using: &random) }
    func span() -> Range<Int> {
      let start = place()
      return
        start..<min(bytes.count, start + Int.random(in: 1...[1, 4, 16, 64, 1_024][Int.random(in: 0..<5, using: &random)], using: &random))
    }
    switch Int.random(in: 0..<10, using: &random) {
    case 0: bytes[place()] = UInt8.random(in: 0...255, using: &random)
    case 1: bytes[place()] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: bytes.removeSubrange(span())
    case 3: bytes.insert(contentsOf: bytes[span()], at: place())
    case 4: bytes.removeLast(bytes.count - place())
    case 5, 6: bytes.insert(contentsOf: words.randomElement(using: &random) ?? [], at: place())
    case 7, 8: bytes.replaceSubrange(span(), with: words.randomElement(using: &random) ?? [])
    default:
      // A number becomes another one.
      let start = place()
      guard let digit = bytes[start...].firstIndex(where: { (48...57).contains($0) }) else { return }
      let end = bytes[digit...].firstIndex { !(48...57).contains($0) } ?? bytes.count
      let numbers = ["-1", "0", "1", "255", "256", "257", "258", "65536", "4294967296", "9223372036854775808", "1e9", "0.5", "00"]
      bytes.replaceSubrange(digit..<end, with: Array((numbers.randomElement(using: &random) ?? "0").utf8))
    }
  }
}
