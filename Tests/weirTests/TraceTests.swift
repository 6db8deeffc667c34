import Foundation
import Testing

/// Compares `weir trace` and `weir feed --row-numbers` with the batches of `weir feed`.
@Suite struct TraceTests {
  private struct Line: Decodable {
    var step: Int
    var row: Int
    var start: Int
    var count: Int
    var document: Int
    var offset: Int
    var id: String
    var origin: String
  }

  @Test func everyTokenOfABatchIsTracedToItsDocument() throws {
    try inFolder { binary in
      try binary.useMade()
      let shape = ["--mixture", "mix.json", "--sequence", "32", "--batch", "4", "--seed", "5", "--steps", "3"]
      let traced = try binary.run(["trace", "set", "--step", "2"] + shape)
      #expect(traced.code == 0, "\(traced.errors)")
      let lines = try traced.text.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
      // The rows are covered without gaps.
      for step in 2..<5 {
        for row in 0..<4 {
          var next = 0
          for line in lines where line.step == step && line.row == row {
            #expect(line.start == next)
            next += line.count
          }
          #expect(next == 32)
        }
      }
      // The tokens that feed writes are those that weir tokenize writes for the documents.
      let plain = try binary.shell("weir tokenize docs.jsonl --tokenizer tok --plain --quiet")
      struct Tokens: Decodable {
        var id: String
        var tokens: [Int32]
      }
      let documents = try plain.text.split(separator: "\n").map { try JSONDecoder().decode(Tokens.self, from: Data($0.utf8)) }
      let fed = try binary.run(["feed", "set", "--from-step", "2", "--raw", "raw"] + shape)
      #expect(fed.code == 0, "\(fed.errors)")
      let tokens = try #require(binary.read("raw/tokens.i32"))
      let values = stride(from: 0, to: tokens.count, by: 4).map { at in (0..<4).reduce(Int32(0)) { $0 | Int32(tokens[at + $1]) << (8 * $1) }
      }
      #expect(values.count == 3 * 4 * 32)
      for line in lines {
        #expect(documents[line.document].id == line.id && line.origin == "docs.jsonl:\(line.document + 1)")
        let first = ((line.step - 2) * 4 + line.row) * 32 + line.start
        let document = documents[line.document].tokens
        for place in 0..<line.count where line.offset + place < document.count {
          #expect(values[first + place] == document[line.offset + place])
        }
      }
    }
  }

  @Test func aRunTellsItsOwnBatches() throws {
    try inFolder { binary in
      try binary.useMade()
      let traced = try binary.shell("weir trace set --run run --step 0 | wc -l")
      #expect(Int(traced.text.filter(\.isNumber)) ?? 0 > 0, "\(traced.errors)")
      expectFailure(try binary.shell("weir trace set --mixture mix.json --run run --step 0"), code: 64, naming: ["--run"])
      expectFailure(try binary.run(["trace", "other-set", "--run", "run", "--step", "0"]), naming: ["run", "other data"])
      expectFailure(try binary.run(["trace", "set", "--run", "tree", "--step", "0"]), naming: ["tree/run.json"])
    }
  }

  @Test func drawsAreDealtToRanksAndContinueAtAnyStep() throws {
    try inFolder { binary in
      try binary.useMade()
      let shape = "--mixture mix.json --sequence 32 --batch 6 --seed 2 --draws"
      func draws(_ words: String) throws -> [[UInt8]] {
        let result = try binary.shell("weir feed set \(shape) \(words)")
        #expect(result.code == 0, "\(result.errors)")
        // Between the first line and the last one.
        let body = result.output.drop { $0 != 10 }.dropFirst()
        let rows = (body.dropLast().lastIndex(of: 0x7B).map { body[..<$0] } ?? body)
        return stride(from: 0, to: rows.count, by: 16).map { Array(rows.dropFirst($0).prefix(16)) }
      }
      let whole = try draws("--steps 1500 --threads 1")
      #expect(whole.count == 9000 && Set(whole).count > 20)
      #expect(try draws("--steps 1500 --threads 2") == whole)
      #expect(try draws("--from-step 700 --steps 5") == Array(whole[4200..<4230]))
      let second = try draws("--steps 1500 --rank 1 --world 3")
      #expect(second == whole.indices.filter { $0 % 6 % 3 == 1 }.map { whole[$0] })
      expectFailure(try binary.shell("weir feed set \(shape) --rank 3 --world 3"), code: 64, naming: [])
    }
  }
}
