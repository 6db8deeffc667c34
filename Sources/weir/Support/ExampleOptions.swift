import ArgumentParser
import Primitives
import Storage
import Workflows

/// Options for what the lines of training data are, and what the loss covers.
struct ExampleOptions: ParsableArguments {
  static let propertyFlags: PropertyFlags = ["chatTemplate": "--chat-template", "chatDate": "--chat-date"]

  @Option(
    help: """
      What a line of --data is: documents (text), prompt-completion (prompt, completion), messages (messages or conversations), or auto (by \
      its members).
      """)
  var dataFormat = ExampleSettings.Format.auto

  @Option(
    help: """
      What the loss covers besides documents: completion (completions, and all turns of the assistant), last-turn (completions, and \
      the last turn), all.
      """)
  var trainOn = ExampleSettings.Trained.completion

  @Option(help: "Examples longer than --sequence: truncate removes the beginning of the prompt, drop leaves them out.")
  var overlong = ExampleSettings.Overlong.truncate

  @Option(
    help: ArgumentHelp(
      "Chat template: \(ExampleSettings.publishedTemplates), one of the tokenizer's by its name, or a file. (default: the tokenizer's)",
      valueName: "name"))
  var chatTemplate: String?

  @Option(help: ArgumentHelp("Date for chat templates that print one, such as 2024-07-26. (default: the template's)", valueName: "date"))
  var chatDate: String?

  @Flag(help: "Encode control tokens such as <|im_end|> in the text of examples as plain text, not as control tokens.")
  var sanitizeControlTokens = false

  var settings: ExampleSettings {
    var settings = ExampleSettings()
    (settings.format, settings.trained, settings.overlong) = (dataFormat, trainOn, overlong)
    (settings.chatTemplate, settings.chatDate, settings.sanitizesControlTokens) = (chatTemplate, chatDate, sanitizeControlTokens)
    return settings
  }
}

extension ExampleSettings.Format: ExpressibleByArgument {}
extension ExampleSettings.Trained: ExpressibleByArgument {}
extension ExampleSettings.Overlong: ExpressibleByArgument {}

extension FinetuneConfiguration {
  /// The first examples, and lines for the user.
  func preview(_ count: Int) throws -> Outcome {
    let (previews, counts) = try FinetuneRun.preview(self, count: count)
    let report = JSONValue.object(["examples": try JSONValue(encoding: previews), "counts": try JSONValue(encoding: counts)])
    return Outcome(report: report, lines: previews.flatMap { $0.lines + [""] } + counts.lines)
  }
}

extension ExampleCounts {
  /// The counts for the user.
  var lines: [String] {
    let parts = [
      (truncated, "truncated"), (dropped, "dropped as longer than the sequence"), (untrained, "left out without a token to train on"),
      (merged, "whose prompt merges with the completion"),
    ].filter { $0.0 > 0 }.map { "\(Format.count($0.0)) \($0.1)" }
    let padding = padding.map { ", \(Format.percent($0, 1)) padding" } ?? ""
    let sizes = "\(Format.short(Double(tokens))) tokens, \(Format.short(Double(trained))) trained"
    let first = "  \(Format.count(examples)) examples, \(sizes)\(padding)"
    let control =
      controlTokens == 0
      ? []
      : [
        "  \(Format.count(controlTokens)) control tokens in the text of examples"
          + (sanitized == true ? ", encoded as plain text" : "; --sanitize-control-tokens makes them plain text")
      ]
    return [([first] + parts).joined(separator: "; ")] + control
  }
}
