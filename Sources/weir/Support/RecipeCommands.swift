import Primitives
import Storage
import Workflows

/// Recipe steps as commands of this executable.
struct RecipeCommands: RecipeInterpreter {
  let session: Session

  func parse(_ commands: [[String]], place: String) throws -> [any RecipeCommand] {
    let parsed = try commands.map { words -> any WeirCommand in
      let line = words.joined(separator: " ")
      do {
        guard let command = try Weir.parseAsRoot(RenamedOptions.resolve(words)) as? any WeirCommand else {
          throw WeirError(place, "`\(line)` is not a command that a recipe can run")
        }
        return command
      } catch let error as WeirError {
        throw error
      } catch {
        throw WeirError(place, "\(line): \(Weir.message(for: error))")
      }
    }
    if parsed.count > 1 {
      for command in parsed where !(command is any ChainCommand) {
        throw WeirError(place, "`\(ChainBuilder.name(command))` cannot be part of a pipe")
      }
    }
    return parsed
  }

  func perform(_ commands: [any RecipeCommand], step: String) throws -> Outcome {
    let commands = commands.compactMap { $0 as? any WeirCommand }
    let reading = try InputHold(commands.flatMap(\.inputs)), locks = try OutputLock.hold(commands.flatMap(\.lockedOutputs))
    defer { withExtendedLifetime(reading) { for lock in locks { lock.release() } } }
    let outcome =
      try commands.count == 1 ? commands[0].namingFlags { try commands[0].perform(session) } : ChainBuilder(commands).perform(session)
    if let complaint = outcome.complaint {
      throw WeirError("step \(step)", complaint, remedy: "add --rejects FILE to a command of the step to see them")
    }
    return outcome
  }
}
