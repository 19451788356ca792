const moved=/^#\/((?:alerts|silences)(?:[/?].*)?)$/.exec(location.hash);if(moved)location.replace(moved[1]);
