import Foundation
import Primitives
import Storage
import TestSupport
import Testing
import Tokenization

@Suite struct TiktokenTests {
  @Test(arguments: [Pretokenizer.gpt2, .cl100k])
  func ranksRoundTrip(kind: Pretokenizer) throws {
    let tokenizer = try TrainerTests.train(TrainerTests.texts(seed: 21, count: 40), vocabulary: 300, kind: kind)
    let end = try #require(tokenizer.addedTokens.first)
    let read = try Tokenizer(tiktoken: try tokenizer.tiktoken(), path: "ranks", pretokenizer: kind, specials: [end])
    #expect(read.merges == tokenizer.merges)
    #expect(read.vocabularySize == tokenizer.vocabularySize)
    for text in TrainerTests.texts(seed: 22, count: 20) { #expect(read.encode(text) == tokenizer.encode(text)) }
    #expect(try read.tiktoken() == tokenizer.tiktoken())
  }

  private func ranks(_ more: String = "") -> [UInt8] {
    let lines = (0..<256).map { "\(Data([UInt8($0)]).base64EncodedString()) \($0)\n" }.joined()
    return Array((lines + more).utf8)
  }

  private func line(_ token: String, _ rank: Int) -> String { "\(Data(token.utf8).base64EncodedString()) \(rank)\n" }

  @Test func wholeTokensThatMergesCannotReachAreStillUsed() throws {
    // "abc" comes from neither "ab" + "c" nor "a" + "bc": there is no pair for it.
    let text = ranks(line("bc", 256) + line("abcd", 257))
    let tokenizer = try Tokenizer(
      tiktoken: text, path: "ranks", pretokenizer: .cl100k, specials: [.init(id: 258, content: "<|endoftext|>")])
    #expect(tokenizer.encode("abcd") == [257])
    #expect(tokenizer.encode("abcde") == [97, 256, 100, 101])
    #expect(tokenizer.endOfDocument == 258)
  }

  @Test func aRankWithoutBytesIsTaken() throws {
    let tokenizer = try Tokenizer(
      tiktoken: ranks(line("ab", 256) + "= 257\n"), path: "ranks", pretokenizer: .gpt2, specials: [.init(id: 258, content: "<|endoftext|>")]
    )
    #expect(tokenizer.encode("ab") == [256] && tokenizer.endOfDocument == 258)
    #expect(tokenizer.firstInvalid(in: [256, 257]) == 1)
  }

  @Test func importsByName() throws {
    let folder = temporaryPath()
    try Files.createFolder(folder)
    defer { try? Files.remove(folder) }
    try Files.write(ranks(line("ab", 256)), to: folder + "/x.tiktoken")
    let end = [Tokenizer.AddedToken(id: 257, content: "<|endoftext|>")]
    let imported = try Tokenizer(importing: folder + "/x.tiktoken", pretokenizer: .cl100k, specials: end)
    #expect(imported.encode("ab") == [256])
    try imported.writeFiles(in: folder)
    for path in [folder, folder + "/tokenizer.json"] {
      #expect(try Tokenizer(importing: path, pretokenizer: nil).fingerprint == imported.fingerprint)
    }
    #expect(throws: WeirError.self) { _ = try Tokenizer(importing: folder + "/x.tiktoken", pretokenizer: nil) }
  }

  /// The published special tokens of a file of `count` ranks; those of other files have to be given.
  @Test func publishedFilesHaveTheirSpecialTokens() throws {
    func specials(_ kind: Pretokenizer, _ count: Int) throws -> [Tokenizer.AddedToken] {
      let more = (256..<count).map {
        "\(Data([255, UInt8($0 >> 16), UInt8($0 >> 8 & 255), UInt8($0 & 255)]).base64EncodedString()) \($0)\n"
      }
      return try Tokenizer(tiktoken: ranks(more.joined()), path: "r", pretokenizer: kind).addedTokens
    }
    #expect(try specials(.gpt2, 50_256).map(\.id) == [50_256])
    let llama = try specials(.llama3, 128_000)
    #expect(llama.count == 256 && llama[0] == .init(id: 128_000, content: "<|begin_of_text|>"))
    #expect(llama[9].content == "<|eot_id|>" && llama[255].content == "<|reserved_special_token_247|>")
    #expect(throws: WeirError.self) { _ = try specials(.llama3, 1_000) }
    #expect(throws: WeirError.self) { _ = try specials(.cl100k, 50_256) }
  }

  @Test func specialTokensFillHoles() throws {
    let text = ranks(line("ab", 257))
    let special = Tokenizer.AddedToken(id: 256, content: "<|end|>")
    let tokenizer = try Tokenizer(tiktoken: text, path: "r", pretokenizer: .gpt2, specials: [special])
    #expect(tokenizer.encode("ab<|end|>", allowsSpecials: true) == [257, 256])
    #expect(throws: WeirError.self) {
      _ = try Tokenizer(tiktoken: text, path: "r", pretokenizer: .gpt2, specials: [.init(id: 257, content: "<|end|>")])
    }
  }

  @Test func badRanksAreOneLineThatNamesTheLine() throws {
    let table: [([UInt8], String)] = [
      (ranks("x"), "r:257: is not a token and its rank"), (ranks("!!! 256"), "r:257: the token is not base64"),
      (ranks("YWI= x"), "r:257: the rank"), (ranks("YWI= -1"), "r:257: the rank"), (ranks("YWI= 99999999999"), "r:257: the rank"),
      (ranks("YQ== 256"), "repeats a token"), (ranks("YWI= 7"), "r:257: rank 7 occurs twice"),
      (ranks("YWI= 257"), "rank 256 is missing; the largest is 257"), (ranks("YWI= 16777215"), "rank 256 is missing"),
      (ranks("YWI= 16777216"), "r:257: the rank is not a whole number below 16777216"), (ranks("YWI= 256.0"), "r:257: the rank"),
      (ranks("YWI= 0x100"), "r:257: the rank"), (ranks("YWI 256"), "r:257: the token is not base64"),
      (ranks("YWI= 256 7"), "r:257: is not a token and its rank"), (ranks("YWI="), "r:257: is not a token and its rank"),
      (Array(ranks().dropLast(20)), "r:254: rank 25 occurs twice"), ([], "empty"), (Array("YQ== 0\n".utf8), "no token for the byte"),
    ]
    for (text, says) in table {
      do {
        _ = try Tokenizer(tiktoken: text, path: "r", pretokenizer: .gpt2, specials: [])
        Issue.record("read although: \(says)")
      } catch let error as WeirError {
        #expect(error.description.contains(says), "\(error)")
      }
    }
  }
}
