//! Data changed in an editor, and set only if nobody else changed it since.

use super::parse;
use crate::commands::{Context, Outcome, on};
use crate::error::{CliError, kind};
use crate::flags::Flag;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use zk_client::ErrorCode;

pub(super) const ARGUMENTS: &str = "path";
pub(super) const HELP: &str = "\
  Opens the data in $VISUAL, or $EDITOR, or vi. If the znode was changed by
  somebody else meanwhile nothing is set, and the text is kept in a file.";
const FLAGS: &[Flag] = &[];

pub(super) async fn edit(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(FLAGS, words, 1..=1)?;
    let path = &context.path(&parsed.words[0]);
    let answer = context.client.get_data(path, false).await;
    let (data, stat) = answer.map_err(on(path))?;
    let data = data.unwrap_or_default();
    let failed = |error: std::io::Error| CliError::new(format!("a temporary file: {error}"));
    let mut file = tempfile::Builder::new()
        .prefix("zk-edit-")
        .tempfile()
        .map_err(failed)?;
    file.write_all(&data).map_err(failed)?;
    context.output.flush();
    // The session goes on beside the editor.
    let at = file.path().to_owned();
    let ended = tokio::task::spawn_blocking(move || open_editor(&at)).await;
    ended.map_err(|error| CliError::new(error.to_string()))??;
    let changed = std::fs::read(file.path()).map_err(failed)?;
    if changed == data {
        context.output.error("Nothing changed");
        return Ok(());
    }
    let set = context
        .client
        .set_data(path, Some(&changed), stat.version)
        .await;
    match set {
        Ok(_) => Ok(()),
        Err(error) => {
            let kept = file.keep().map_err(|error| failed(error.error))?.1;
            let kept = kept.display();
            let error = match error.code() {
                Some(ErrorCode::BAD_VERSION) => CliError {
                    kind: kind::BAD_VERSION,
                    ..CliError::new(format!("{path} was changed by somebody else"))
                },
                _ => on(path)(error),
            };
            let message = format!("{}; your text is in {kept}", error.message);
            Err(CliError { message, ..error })
        }
    }
}

fn open_editor(file: &Path) -> Outcome {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let editor = variable("VISUAL").or_else(|| variable("EDITOR"));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    // Editors have arguments: `code --wait`.
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(file)
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(CliError::new(format!("{editor}: {status}"))),
        Err(error) => Err(CliError::new(format!("{editor}: {error}"))),
    }
}
