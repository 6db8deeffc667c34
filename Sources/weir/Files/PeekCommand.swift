import ArgumentParser
import Inspection
import Primitives
import Storage
import Workflows

/// `weir peek PATH`: shows the contents of a Weir file or folder.
struct PeekCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "peek",
    abstract: "Show what is in a Weir file or folder.",
    discussion: """
      EXAMPLES:
        weir peek out/dataset
      """)

  @Argument(help: ArgumentHelp("File or folder.", valueName: "path"))
  var path: String

  @Option(help: ArgumentHelp("Lines or records to show.", valueName: "n"))
  var lines = 5

  @OptionGroup var common: CommonOptions

  var inputs: [String] { [path] }
  var writesDataToOutput: Bool { !common.json }

  func validate() throws {
    guard lines >= 0 else { throw ValidationError("--lines must not be negative") }
  }

  func perform(_ session: Session) throws -> Outcome {
    guard !common.json else { return Outcome(report: try JSONValue(encoding: Peek.report(path, registry: .all, lines: lines))) }
    try StandardOutput.write(Format.escaped(Peek.text(path, registry: .all, lines: lines), keepingLines: true))
    return Outcome()
  }
}
