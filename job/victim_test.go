package job

func victim(string) {}
