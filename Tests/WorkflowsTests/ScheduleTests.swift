import Primitives
import Storage
import TestSupport
import Testing
import Workflows

@Suite struct ScheduleTests {
  private static let texts = [
    "by: source\nmax_epochs: {web: 3}\nstages:\n  - {at: 0, weights: {web: 1}}\n  - {at: 200, weights: {web: 0.5}}\n",
    "{\"by\": \"source\", \"interpolate\": true, \"max_epochs\": 4, \"stages\": [{\"at\": 0, \"weights\": {\"web\": 1}}, {\"at\": \"0.16k\", \"weights\": {\"web\": 2}}]}",
    "datasets: [set]\nstages: [{at: 0, weights: {set: 1e-9}}]\n",
    "0.3 set 0.7 set2",
  ]

  /// Whatever a schedule says, it is refused on one line or draws rows.
  @Test(arguments: 1...6 as ClosedRange<UInt64>) func changedSchedulesAreRefusedOrDraw(seed: UInt64) throws {
    try withTemporaryFolder { folder in
      try writeDataset(folder + "/set", seed: 1)
      try writeDataset(folder + "/set2", seed: 2)
      var configuration = LoaderConfiguration(dataset: folder + "/set")
      (configuration.mixture, configuration.sequence, configuration.rows) = (folder + "/schedule", 16, 2)
      var random = SequentialRandom(seed: seed)
      var drawn = 0, failures: [String] = []
      for number in 0..<120 {
        var text = Array(Self.texts[number % Self.texts.count].utf8)
        for _ in 0..<(number < Self.texts.count ? 0 : Int.random(in: 1...3, using: &random)) {
          let at = Int.random(in: 0..<text.count, using: &random)
          switch Int.random(in: 0..<5, using: &random) {
          case 0: text.remove(at: at)
          case 1: text[at] = UInt8.random(in: 0...255, using: &random)
          case 2: text.insert(contentsOf: text[..<Int.random(in: 0...at, using: &random)], at: at)
          case 3:
            text.insert(
              contentsOf: Array(["-", "1e308", "nan", "9999999999999999999", ":", "[", "{"].randomElement(using: &random)!.utf8), at: at)
          default: text.removeSubrange(at...)
          }
          if text.isEmpty { text = [0x30] }
        }
        try Files.writeOutput(text, to: folder + "/schedule")
        do {
          let loader = try configuration.loader(tokens: 320)
          _ = try loader.batch(step: 9)
          drawn += 1
        } catch let error as WeirError {
          failures.append(error.description)
          #expect(!error.description.isEmpty && !error.description.contains("\n"), "\(error)")
        }
      }
      #expect(drawn >= 4, "\(failures.prefix(4))")
    }
  }
}
