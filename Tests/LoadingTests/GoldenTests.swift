import Foundation
import Loading
import Primitives
import Storage
import Testing
import Tokens

/// The golden positions that the tests of weir_feed check too; `python/tests/write_golden.py` writes them.
@Suite struct GoldenTests {
  private struct Row: Decodable {
    var position: Int
    var source: Int
    var row: Int
    /// Document, first token and number of tokens.
    var segments: [[Int]]
    var tokens: [Int32]
    var targets: [Int32]
  }

  @Test func rowsAreThoseOfTheOtherLanguage() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Golden"
    let loader = try PackedLoader(order: folder + "/order.json", rows: 1)
    let golden = try JSONDecoder().decode([Row].self, from: Data(Files.readWhole(folder + "/positions.json")))
    #expect(golden.count == 10)
    for expected in golden {
      let batch = try loader.batch(step: expected.position)
      #expect(try loader.order.row(at: expected.position).number == expected.row)
      #expect(batch.segments.map { [$0.document, $0.offset, $0.count] } == expected.segments)
      #expect(batch.tokens == expected.tokens && batch.targets == expected.targets)
      #expect(batch.segments.allSatisfy { $0.dataset == expected.source })
    }
    #expect(loader.order.draws.capacity == (golden.map(\.position).max() ?? 0) + 1)
  }
}
