import ArgumentParser
import Documents
import Primitives
import Storage
import Tokenization

/// `weir tokenizer info DIR`.
struct TokenizerInfoCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Show what a tokenizer contains and how well it compresses.",
    discussion: """
      Shows the vocabulary by kind of token and its longest tokens. Given documents, it also reports bytes per token by \
      domain (metadata.domain, else the source) and the share of the vocabulary in use.

      EXAMPLES:
        weir tokenizer info tokenizer/bpe4k
        weir tokenizer info tokenizer/bpe4k corpora/demo/heldout-general.jsonl.zst
      """)

  @Argument(help: ArgumentHelp("Tokenizer folder.", valueName: "folder"))
  var folder: String

  @Argument(help: ArgumentHelp("Documents to measure compression on.", valueName: "path"))
  var paths: [String] = []

  @Option(help: ArgumentHelp("Show the tokens of a text in color, with their ids.", valueName: "text"))
  var show: String?

  @Flag(help: "With --show, encode special tokens as their ids.")
  var allowSpecial = false

  @Option(
    name: .customLong("repeat"),
    help: ArgumentHelp(
      "Encode the documents this many more times from memory, and report speed and loading time.", valueName: "n"))
  var repetitions = 0

  @OptionGroup var common: CommonOptions

  var inputs: [String] { [folder] + paths }

  func perform(_ session: Session) throws -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    let tokenizer = try Tokenizer(folder: folder)
    let loading = start.duration(to: clock.now) / .milliseconds(1)
    let documents = paths.isEmpty ? [] : try DocumentFile.readAll(paths)
    let report = TokenizerReport(tokenizer, byDomain: documents)
    var lines = [
      "  \(Format.count(report.vocabulary)) tokens, \(Format.count(report.merges)) merges, pre-tokenizer \(report.pretokenizer), fingerprint \(report.fingerprint)",
      "  special: \(report.specials.map { "\($0.text) \($0.id)" }.joined(separator: ", "))",
      "  longest: \(report.longest.prefix(12).map { "\"\($0.text)\"" }.joined(separator: " "))",
    ]
    if !tokenizer.template.isEmpty { lines.append("  with --add-special: \(added(tokenizer))") }
    lines.append(report.vocabularyTable)
    lines += report.compressionLines
    var value = try JSONValue(encoding: report)
    if let show { lines += TokenView(tokenizer, text: show, allowsSpecials: allowSpecial).lines(colored: Terminal.outputIsInteractive) }
    if repetitions > 0 {
      lines.append(String(format: "  loaded in %.1f ms", loading))
      let speed = EncodingSpeed(tokenizer, documents: documents, threads: session.threads, repetitions: repetitions)
      if !documents.isEmpty {
        lines.append(
          String(
            format: "  %.1f MB/s on %d threads (best of %d runs; the first: %.1f)", speed.best, session.threads, repetitions, speed.first))
      }
      value.set("speed", try JSONValue(encoding: speed))
      value.set("load_milliseconds", .number(loading))
    }
    return Outcome(report: value, lines: lines)
  }

  /// The special tokens around a text.
  private func added(_ tokenizer: Tokenizer) -> String {
    func names(_ ids: [UInt32]) -> [String] { ids.map { String(decoding: tokenizer.bytes(of: $0), as: UTF8.self) } }
    return (names(tokenizer.template.prefix) + ["the text"] + names(tokenizer.template.suffix)).joined(separator: " ")
  }
}
